"""The group that the sub-commands join, the case they work on, and the rows they print."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from hinomi.cli.output import write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.locale.catalogue import text

if TYPE_CHECKING:
    from hinomi.store.case import Case

Rows = Sequence[Sequence[object]]


@click.group(
    "library", help=say("help.library"), short_help=say("help.library.short"), epilog=say("help.library.examples")
)
@click.help_option("-h", "--help", help=say("help.help"))
def GROUP() -> None:  # noqa: N802
    """Hold the sub-commands."""


def sub(name: str, epilog: str = "help.library.examples") -> Callable[[Callable[..., int]], click.Command]:
    """Make a function a sub-command; its help is in the catalogue."""
    return GROUP.command(name, help=say(f"help.library.{name}"), epilog=say(epilog))


def opened(settings: Settings) -> Case:
    """Open the case of the settings."""
    from hinomi.store.case import Case

    return Case.open(settings.case)


def print_rows(columns: list[str], rows: Rows, settings: Settings) -> None:
    """Print rows as table, JSON or JSON lines; ids are short in the table."""
    if settings.format == "table":
        write(
            table(columns, [[_cell(c, v) for c, v in zip(columns, row, strict=True)] for row in rows], settings),
            settings,
        )
        return
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    if settings.format == "jsonl":
        write("".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects), settings)
    else:
        write(json.dumps(objects, ensure_ascii=False, indent=2) + "\n", settings)


def _cell(column: str, value: object) -> object:
    if column == "id":
        return str(value).removeprefix("report--")[:12]
    if isinstance(value, list):
        return "-".join(map(str, value)) if column == "span" else "; ".join(map(str, value))
    return value


def table(columns: Sequence[str], rows: Rows, settings: Settings) -> str:
    """Return rows as a table with its columns named in the user's language."""
    from hinomi.cli.tables import render_rows

    return render_rows([text(f"column.{c}", settings.language) for c in columns], rows, settings)
