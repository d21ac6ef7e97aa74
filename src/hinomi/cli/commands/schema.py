"""hinomi schema: the JSON contracts and the evidence tables."""

from __future__ import annotations

import json

import click

from hinomi.cli.options import common
from hinomi.cli.output import write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.model.errors import UsageError


@click.command(
    "schema", help=say("help.schema"), short_help=say("help.schema.short"), epilog=say("help.schema.examples")
)
@click.argument("name", required=False)
@common("json", "md")
def COMMAND(settings: Settings, name: str | None) -> int:  # noqa: N802
    """Print one schema, or the list of names."""
    from hinomi.flow.schemas import names, schema, table_page

    if name is None:
        write("\n".join(names()) + "\n", settings)
        return 0
    if name not in names():
        raise UsageError("schema.unknown", place=name, cause=", ".join(names()))
    if settings.format == "md":
        write(table_page(name), settings)
    else:
        write(json.dumps(schema(name), ensure_ascii=False, indent=2) + "\n", settings)
    return 0
