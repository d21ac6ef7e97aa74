"""Ask stored evidence again: by report, by rule, or by a query of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinomi.flow.briefing import coverage_from
from hinomi.flow.checking import indicators_in, library_indicators, rules_of
from hinomi.flow.scanning import ScanResult, judge_rows
from hinomi.model.errors import UsageError
from hinomi.model.findings import Coverage
from hinomi.store.case import Case

if TYPE_CHECKING:
    from hinomi.detect.catalogue import Catalogue


def hunt(
    case: Case, *, report: str | None = None, rule: str | None = None, rule_folders: Sequence[Path] = ()
) -> list[ScanResult]:
    """Ask every finished run of the case; with a report only its indicators and threats, with a rule only that."""
    catalogue = rules_of(case, rule_folders)
    indicators = library_indicators(case)
    if report is not None:
        kept = case.library.get(report)
        if kept is None:
            raise UsageError("hunt.no-such-report", place=report, cause="not in the library of this case")
        indicators = indicators_in([kept], accepted_only=False)
    if rule is not None:
        catalogue, indicators = only_rule(catalogue, rule), []
    results = []
    for run in case.runs():
        coverage = coverage_from(run.coverage or {})
        findings, stories = judge_rows(
            case, run.id, run.target, catalogue, indicators, coverage, seen=run.finished or run.started
        )
        if report is not None and kept is not None:
            from hinomi.brief.judge import concerns

            findings = tuple(f for f in findings if concerns(f, kept))
        results.append(ScanResult(run.target, run.id, findings, stories, coverage))
    return results


def only_rule(catalogue: Catalogue, rule_id: str) -> Catalogue:
    """Return a catalogue of one rule; `UsageError` where there is none of that id."""
    narrowed = catalogue.select(ids=[rule_id])
    if not len(narrowed):
        raise UsageError("rule.unknown", place=rule_id, cause="no such rule")
    return narrowed


def query(case: Case, sql: str, *, limit: int = 10_000) -> tuple[list[str], list[tuple[Any, ...]], Coverage]:
    """Run one SELECT over the evidence of every finished run; every table also has `host` and `run`.

    More rows than `limit` are cut off, which the coverage says.
    """
    from hinomi.detect.query import ask

    coverage = Coverage()
    runs = [(run.host, run.id, case.tables(run.id)) for run in case.runs()]
    columns, rows = ask(runs, sql, limit=limit + 1)
    coverage.count("runs", len(runs))
    if len(rows) > limit:
        coverage.miss("query", sql, "truncated", f"more than {limit} rows")
    return columns, rows[:limit], coverage
