"""hinomi check: the main job."""

from __future__ import annotations

import click

from hinomi.cli.options import common, fail_on
from hinomi.cli.output import write
from hinomi.cli.progress import progress
from hinomi.cli.results import exit_code
from hinomi.cli.scanoptions import memory_options, scan_options
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.evidence.images.kinds import OPENED
from hinomi.evidence.options import ScanOptions


@click.command("check", help=say("help.check"), short_help=say("help.check.short"), epilog=say("help.check.examples"))
@click.argument("reports", nargs=-1, required=True, metavar="REPORT...")
@click.option("--on", "targets", multiple=True, metavar="TARGET", help=say("option.on"))
@click.option("--as", "kind", type=click.Choice(OPENED), help=say("option.as"))
@scan_options
@memory_options
@fail_on
@common("table", "json", "jsonl", "md", "html")
def COMMAND(  # noqa: N802
    settings: Settings, reports: tuple[str, ...], targets: tuple[str, ...], kind: str | None, options: ScanOptions
) -> int:
    """Read reports, examine targets, answer the three questions."""
    from hinomi.flow.checking import check
    from hinomi.flow.earlier import earlier_looks
    from hinomi.store.case import Case

    asked = targets or ("/",)
    with (
        Case.open(settings.case) as case,
        progress(settings, earlier_looks(case, asked, use_cache=options.use_cache)) as report_progress,
    ):
        checked = check(
            case,
            reports,
            asked,
            rule_folders=settings.rules,
            organisation=settings.organisation,
            progress=report_progress,
            kind=kind,
            options=options,
        )
        made = case.clock().isoformat()
    _print(checked.verdicts, made, settings)
    return exit_code(checked.look.findings, checked.coverage, settings.fail_on)


def _print(verdicts: tuple[object, ...], made: str, settings: Settings) -> None:
    from hinomi import __version__
    from hinomi.brief.document import VerdictDocument, render

    document = VerdictDocument(verdicts, made, __version__)  # type: ignore[arg-type]
    if settings.format == "table":
        from hinomi.cli.tables import render_verdicts

        write(render_verdicts(document, settings), settings)
    else:
        write(render(document, str(settings.format), settings.language), settings)
