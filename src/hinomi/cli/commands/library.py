"""hinomi library: reports and claims kept, and what people decided about them."""

from __future__ import annotations

import getpass
import json

import click

from hinomi.cli.options import common
from hinomi.cli.output import tell, write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.model.claims import ClaimStatus, Report
from hinomi.model.errors import UsageError
from hinomi.store.case import Case


@click.group(
    "library", help=say("help.library"), short_help=say("help.library.short"), epilog=say("help.library.examples")
)
def COMMAND() -> None:  # noqa: N802
    """Hold the sub-commands."""


@COMMAND.command("list", help=say("help.library.list"), epilog=say("help.library.examples"))
@common("table", "json", "jsonl")
def list_reports(settings: Settings) -> int:
    """List the reports."""
    with Case.open(settings.case) as case:
        reports = case.library.reports()
    rows = [(r.id[:12], r.language, r.published or "", len(r.claims), r.source, r.title) for r in reports]
    columns = ["id", "language", "published", "claims", "source", "title"]
    if settings.format == "table":
        from hinomi.cli.tables import render_rows

        write(render_rows(columns, rows, settings), settings)
    else:
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        lines = [json.dumps(o, ensure_ascii=False) for o in objects]
        write("\n".join(lines) + "\n" if settings.format == "jsonl" else json.dumps(objects, indent=2) + "\n", settings)
    return 0


@COMMAND.command("show", help=say("help.library.show"), epilog=say("help.library.examples"))
@click.argument("report")
@common("table", "json", "text", "stix")
def show(settings: Settings, report: str) -> int:
    """Show a report as kept."""
    from hinomi.cli.commands.read import _rendered
    from hinomi.flow.reading import coverage_of_reports

    with Case.open(settings.case) as case:
        kept = _find(case, report)
        coverage = coverage_of_reports(case, [kept])
    write(_rendered([kept], coverage, settings), settings)
    return 0


@COMMAND.command("accept", help=say("help.library.accept"), epilog=say("help.library.examples"))
@click.argument("report")
@click.argument("claims", nargs=-1)
@click.option("--why", default="", help=say("option.why"))
@common("table")
def accept(settings: Settings, report: str, claims: tuple[str, ...], why: str) -> int:
    """Accept claims: `scan` uses them from now on."""
    return _decide(settings, report, claims, "accepted", why)


@COMMAND.command("reject", help=say("help.library.reject"), epilog=say("help.library.examples"))
@click.argument("report")
@click.argument("claims", nargs=-1, required=True)
@click.option("--why", default="", help=say("option.why"))
@common("table")
def reject(settings: Settings, report: str, claims: tuple[str, ...], why: str) -> int:
    """Reject claims: nothing uses them any more."""
    return _decide(settings, report, claims, "rejected", why)


def _decide(settings: Settings, report: str, claims: tuple[str, ...], status: ClaimStatus, why: str) -> int:
    with Case.open(settings.case) as case:
        kept = _find(case, report)
        wanted = claims or tuple(c.id for c in kept.claims if c.status == "suggested")
        changed = [c for c in wanted if case.library.decide(kept.id, c, status, who=getpass.getuser(), why=why)]
        case.journal.append(f"claims-{status}", report=kept.id, claims=changed, why=why)
    unknown = set(wanted) - set(changed)
    if unknown:
        raise UsageError("library.no-such-claim", place=kept.id, cause=", ".join(sorted(unknown)))
    tell(settings, say(f"library.{status}", count=len(changed)))
    return 0


def _find(case: Case, report_id: str) -> Report:
    kept = case.library.get(report_id)
    if kept is None:
        raise UsageError("library.no-such-report", place=report_id, cause="not in the library, or ambiguous")
    return kept
