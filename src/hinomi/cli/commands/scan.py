"""hinomi scan: findings of targets."""

from __future__ import annotations

import click

from hinomi.cli.options import common, fail_on
from hinomi.cli.progress import progress
from hinomi.cli.results import exit_code
from hinomi.cli.scanoptions import memory_options, scan_options
from hinomi.cli.settings import Settings
from hinomi.cli.show import show_scans
from hinomi.cli.words import say
from hinomi.evidence.images.kinds import OPENED
from hinomi.evidence.options import ScanOptions

FORMATS = ("table", "json", "jsonl", "csv", "sarif", "ocsf", "stix", "md", "html")


@click.command("scan", help=say("help.scan"), short_help=say("help.scan.short"), epilog=say("help.scan.examples"))
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--as", "kind", type=click.Choice(OPENED), help=say("option.as"))
@click.option("--compare", metavar="ORIGINAL", help=say("option.compare"))
@scan_options
@memory_options
@fail_on
@common(*FORMATS)
def COMMAND(  # noqa: N802
    settings: Settings, targets: tuple[str, ...], kind: str | None, compare: str | None, options: ScanOptions
) -> int:
    """Examine targets with the built-in rules and the library's accepted indicators."""
    from hinomi.flow.checking import library_indicators, rules_of
    from hinomi.flow.earlier import earlier_looks
    from hinomi.flow.scanning import scan
    from hinomi.store.case import Case

    asked = targets or ("/",)
    with (
        Case.open(settings.case) as case,
        progress(settings, earlier_looks(case, asked, use_cache=options.use_cache)) as report_progress,
    ):
        catalogue = rules_of(case, settings.rules)
        indicators = library_indicators(case)
        results = scan(
            case,
            asked,
            catalogue,
            indicators,
            progress=report_progress,
            kind=kind,
            options=options,
            compare=compare,
        )
        made = case.clock().isoformat()
    look = show_scans(results, made, settings)
    return exit_code(look.findings, look.coverage, settings.fail_on)
