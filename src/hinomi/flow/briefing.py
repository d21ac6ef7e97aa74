"""Write the digest of reports, with how we stand where a scan is at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinomi import __version__
from hinomi.flow.checking import indicators_in, library_indicators, look_of, rules_of, verdict_on, with_versions
from hinomi.flow.reading import read_reports
from hinomi.flow.scanning import ScanResult, judge_rows
from hinomi.intel.merging import merge
from hinomi.model.claims import Report
from hinomi.model.errors import UsageError
from hinomi.model.findings import Coverage
from hinomi.store.case import Case, RunInfo

if TYPE_CHECKING:
    from hinomi.brief.document import DigestDocument
    from hinomi.brief.judge import Look
    from hinomi.detect.catalogue import Catalogue


def brief(
    case: Case,
    sources: Sequence[str],
    *,
    title: str,
    rule_folders: Sequence[Path] = (),
    organisation: Mapping[str, Any] | None = None,
) -> DigestDocument:
    """Compose the digest of the given reports (all of the library where none is given).

    The latest finished look at each target of the case says how we stand; without one, the digest says so.
    """
    reports = read_reports(case, sources) if sources else case.library.reports()
    if not reports:
        raise UsageError("brief.no-reports", place=str(case.path), cause="the library is empty")
    catalogue = with_versions(rules_of(case, rule_folders), reports)
    look = stored_look(case, catalogue, reports, organisation or {})
    return digest(case, reports, catalogue, look, title=title)


def digest(
    case: Case, reports: Sequence[Report], catalogue: Catalogue, look: Look | None, *, title: str
) -> DigestDocument:
    """Compose the digest of reports against one look."""
    from hinomi.brief.digest import Item, articles_of, compose
    from hinomi.brief.document import DigestDocument

    view = merge(reports)
    articles = [article for report in reports for article in articles_of(report)]
    items = [Item(a, verdict_on(a, catalogue, look, view) if look else None) for a in articles]
    return DigestDocument(title, case.clock().date().isoformat(), __version__, compose(items, view))


def stored_look(
    case: Case, catalogue: Catalogue, reports: Sequence[Report], organisation: Mapping[str, Any]
) -> Look | None:
    """Ask the latest evidence of every target anew, so that a report read later is answered from what is stored."""
    from hinomi.brief.agreement import strengthened

    surer = strengthened(reports, merge(reports))
    indicators = [*library_indicators(case), *indicators_in(surer, accepted_only=False)]
    scans = []
    for run in latest_runs(case):
        coverage = coverage_from(run.coverage or {})
        findings, stories = judge_rows(
            case, run.id, run.target, catalogue, indicators, coverage, seen=run.finished or run.started
        )
        scans.append(ScanResult(run.target, run.id, findings, stories, coverage))
    return look_of(scans, organisation)[0] if scans else None


def latest_runs(case: Case) -> list[RunInfo]:
    """Return the newest complete run of each target."""
    newest = {(run.host, run.target): run for run in case.runs()}
    return [newest[key] for key in sorted(newest)]


def coverage_from(body: Mapping[str, Any]) -> Coverage:
    """Turn a stored `hinomi.coverage/1` object back into a coverage; the rules' part is left to be counted anew."""
    coverage = Coverage()
    coverage.examined.update({k: v for k, v in body.get("examined", {}).items() if k != "rules"})
    coverage.skipped.update(body.get("skipped", {}))
    for miss in body.get("not_examined", ()):
        if not miss["area"].startswith("rule"):
            coverage.miss(miss["area"], miss["subject"], miss["reason"], miss["detail"], transient=miss["transient"])
    if unlisted := body.get("missed", {}).get("unlisted"):
        coverage.missed["unlisted"] += unlisted
    return coverage
