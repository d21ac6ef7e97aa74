"""See what is kept: list, show, search, merge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hinomi.cli.library.group import Rows, opened, print_rows, sub, table
from hinomi.cli.options import common
from hinomi.cli.output import tell, write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.locale.catalogue import text

if TYPE_CHECKING:
    from hinomi.intel.merging import MergedView
    from hinomi.model.claims import Report


@sub("list")
@common("table", "json", "jsonl")
def list_reports(settings: Settings) -> int:
    """List the reports."""
    with opened(settings) as case:
        reports = case.library.reports()
    columns = ["id", "language", "published", "claims", "source", "title"]
    rows = [(r.id, r.language, r.published or "", len(r.claims), r.source, r.title) for r in reports]
    print_rows(columns, rows, settings)
    return 0


@sub("show")
@click.argument("report")
@click.option("--claims", is_flag=True, help=say("option.claims"))
@common("table", "json", "text", "stix", "csv")
def show(settings: Settings, report: str, claims: bool) -> int:
    """Show a report as kept, with who decided what."""
    from hinomi.cli.commands.read import _rendered
    from hinomi.flow.library import find
    from hinomi.flow.reading import coverage_of_reports

    with opened(settings) as case:
        kept = find(case, report)
        coverage = coverage_of_reports(case, [kept])
        decisions = [d.to_json() for d in case.library.decisions(kept.id)]
    if settings.format == "json":
        from hinomi.brief.reading import report_object

        body = report_object(kept, coverage[kept.id]) | {"decisions": decisions}
        write(json.dumps(body, ensure_ascii=False, indent=2) + "\n", settings)
        return 0
    if claims and settings.format == "table":
        from hinomi.cli.claimview import render_claims

        write(render_claims(kept, decisions, settings), settings)
        return 0
    said = _rendered([kept], coverage, settings)
    if settings.format == "table":
        said += _decided(kept, decisions, settings)
    write(said, settings)
    return 0


def _decided(report: Report, decisions: Sequence[dict[str, str]], settings: Settings) -> str:
    """Return who decided what about the claims, and why allowed values are harmless."""
    values = {c.id: f"{c.type} {c.value}" for c in report.claims}
    rows = [(values[d["claim"]], d["status"], d["who"], d["at"], d["why"]) for d in decisions]
    allowed = [(c, c.attributes["allowed"]) for c in report.claims if "allowed" in c.attributes]
    rows += [(values[c.id], "allowed", a["who"], a["at"], a["why"]) for c, a in allowed]
    return table(["claim", "decision", "who", "when", "why"], rows, settings) if rows else ""


@sub("search")
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@common("table", "json", "jsonl")
def search(settings: Settings, words: tuple[str, ...]) -> int:
    """Search titles and texts."""
    with opened(settings) as case:
        found = case.library.search(" ".join(words))
    rows = [
        (f.report_id, f.title, f.source, list(s.span) if s.span else None, s.text) for f in found for s in f.snippets
    ]
    print_rows(["id", "title", "source", "span", "snippet"], rows, settings)
    if not found:
        tell(settings, text("library.nothing-found", settings.language))
    return 0


@sub("merge")
@click.argument("reports", nargs=-1, metavar="REPORT...")
@common("table", "json")
def merge(settings: Settings, reports: tuple[str, ...]) -> int:
    """See several reports as one."""
    from hinomi.flow.library import chosen
    from hinomi.intel.merging import merge as merged

    with opened(settings) as case:
        view = merged(chosen(case, reports))
    if settings.format == "json":
        write(json.dumps(view.to_json(), ensure_ascii=False, indent=2) + "\n", settings)
    else:
        write(_merged(view, settings), settings)
    return 0


def _merged(view: MergedView, settings: Settings) -> str:
    rows: Rows = [
        (
            c.type, " = ".join((c.value, *c.names)), " ".join(x for x in (c.product, c.branch) if x), c.role,
            c.confidence, ", ".join(dict.fromkeys(v.source for v in c.voices)),
        )
        for c in view.claims
    ]  # fmt: skip
    said = table(["type", "value", "of", "role", "confidence", "said-by"], rows, settings)
    against: Rows = [
        (
            text(f"contradiction.{c.kind}", settings.language),
            " ".join(x for x in (c.subject, c.branch) if x), c.counts,
            "; ".join(f"{v.source}: {v.value if c.kind != 'role' else v.role}" for v in c.voices),
        )
        for c in view.contradictions
    ]  # fmt: skip
    if not against:
        return said + "\n" + text("library.no-contradictions", settings.language) + "\n"
    head = text("library.contradictions", settings.language, count=len(against))
    return f"{said}\n{head}\n" + table(["contradiction", "of", "counts", "said-by"], against, settings)
