"""hinomi brief: the digest."""

from __future__ import annotations

import click

from hinomi.cli.options import common, fail_on
from hinomi.cli.output import write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say


@click.command("brief", help=say("help.brief"), short_help=say("help.brief.short"), epilog=say("help.brief.examples"))
@click.argument("reports", nargs=-1, metavar="[REPORT]...")
@click.option("--title", default=None, help=say("option.title"))
@fail_on
@common("md", "html", "json", "jsonl")
def COMMAND(settings: Settings, reports: tuple[str, ...], title: str | None) -> int:  # noqa: N802
    """Write the digest of reports with how we stand."""
    from hinomi.brief.document import render
    from hinomi.flow.briefing import brief
    from hinomi.store.case import Case

    with Case.open(settings.case) as case:
        document = brief(
            case,
            reports,
            title=title or say("digest.title"),
            rule_folders=settings.rules,
            organisation=settings.organisation,
        )
    write(render(document, str(settings.format), settings.language), settings)
    return 0
