"""hinomi read: what reports say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from hinomi.cli.options import common, online
from hinomi.cli.output import write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say

if TYPE_CHECKING:
    from hinomi.model.claims import ClaimCoverage, Report


@click.command("read", help=say("help.read"), short_help=say("help.read.short"), epilog=say("help.read.examples"))
@click.argument("reports", nargs=-1, required=True, metavar="REPORT...")
@click.option("--no-keep", is_flag=True, help=say("option.no-keep"))
@online
@common("table", "text", "json", "jsonl", "csv", "stix")
def COMMAND(settings: Settings, reports: tuple[str, ...], no_keep: bool, online: bool) -> int:  # noqa: N802
    """Read reports into claims and keep them in the library."""
    from hinomi.flow.reading import coverage_of_reports, read_reports
    from hinomi.store.case import Case

    if no_keep:
        read = read_reports(None, reports, online=online)
        coverage = coverage_of_reports(None, read)
    else:
        with Case.open(settings.case) as case:
            read = read_reports(case, reports, online=online)
            coverage = coverage_of_reports(case, read)
    write(_rendered(read, coverage, settings), settings)
    return 0


def _rendered(reports: list[Report], coverage: dict[str, tuple[ClaimCoverage, ...]], settings: Settings) -> str:
    if settings.format == "text":
        return "\n".join(r.text for r in reports)
    if settings.format == "stix":
        from hinomi.intel.stix import to_bundle

        bundles = [to_bundle(r) for r in reports]
        return json.dumps(bundles[0] if len(bundles) == 1 else bundles, ensure_ascii=False, indent=2) + "\n"
    if settings.format == "csv":
        from hinomi.intel.exchange.csvlist import list_of

        return list_of(reports)
    if settings.format == "table":
        return _table(reports, coverage, settings)
    return _json(reports, coverage, settings)


def _json(reports: list[Report], coverage: dict[str, tuple[ClaimCoverage, ...]], settings: Settings) -> str:
    from hinomi.brief.reading import report_object

    objects: list[Any] = [report_object(r, coverage[r.id]) for r in reports]
    if settings.format == "jsonl":
        return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects)
    return json.dumps(objects[0] if len(objects) == 1 else objects, ensure_ascii=False, indent=2) + "\n"


def _table(reports: list[Report], coverage: dict[str, tuple[ClaimCoverage, ...]], settings: Settings) -> str:
    from hinomi.cli.tables import render_reports
    from hinomi.locale.catalogue import text

    checked = {
        report_id: {
            c.claim_id: ", ".join(c.checked_by) or (text(c.gap, settings.language) if c.gap else "") for c in entries
        }
        for report_id, entries in coverage.items()
    }
    return render_reports(reports, checked, settings)
