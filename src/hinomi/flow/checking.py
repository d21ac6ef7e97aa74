"""The main job: reports and targets in, one verdict per report out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinomi.evidence.options import ScanOptions
from hinomi.flow.reading import read_reports
from hinomi.flow.scanning import DEFAULTS, Progress, ScanResult, scan
from hinomi.intel.merging import MergedView, merge
from hinomi.model.claims import Report
from hinomi.model.findings import Coverage
from hinomi.model.verdict import Verdict
from hinomi.store.case import Case

if TYPE_CHECKING:
    from hinomi.brief.judge import Look
    from hinomi.detect.catalogue import Catalogue
    from hinomi.detect.indicator import Indicator


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything one check gave."""

    reports: tuple[Report, ...]
    verdicts: tuple[Verdict, ...]
    scans: tuple[ScanResult, ...]
    coverage: Coverage
    look: Look = field(repr=False)


def rules_of(case: Case, folders: Sequence[Path] = ()) -> Catalogue:
    """Return the shipped rules, the case's own (`<case>/rules`) and those of the given folders."""
    from hinomi.detect.catalogue import load_rules

    own = case.path / "rules"
    return load_rules([*([own] if own.is_dir() else []), *folders])


def indicators_in(reports: Iterable[Report], *, accepted_only: bool) -> list[Indicator]:
    """Return the indicators of reports: those people accepted, or all that nobody rejected; allowed values never."""
    from hinomi.detect.indicator import indicators_of

    active = [replace(r, claims=tuple(c for c in r.claims if "allowed" not in c.attributes)) for r in reports]
    return indicators_of(active, statuses=("accepted",) if accepted_only else ("accepted", "suggested"))


def library_indicators(case: Case) -> list[Indicator]:
    """Return the accepted indicators of every report in the library."""
    return indicators_in(case.library.reports(), accepted_only=True)


def check(
    case: Case,
    sources: Sequence[str],
    targets: Sequence[str],
    *,
    rule_folders: Sequence[Path] = (),
    organisation: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    kind: str | None = None,
    options: ScanOptions = DEFAULTS,
) -> Checked:
    """Read the reports, examine the targets once, and answer each report's three questions."""
    from hinomi.brief.agreement import strengthened

    reports = read_reports(case, sources)
    view = merge(reports)
    catalogue = with_versions(rules_of(case, rule_folders), reports)
    indicators = [*library_indicators(case), *indicators_in(strengthened(reports, view), accepted_only=False)]
    scans = scan(case, targets, catalogue, indicators, progress=progress, kind=kind, options=options)
    look, coverage = look_of(scans, organisation or {})
    verdicts = tuple(verdict_on(report, catalogue, look, view) for report in reports)
    case.journal.append("checked", reports=[r.id for r in reports], runs=[s.run for s in scans])
    return Checked(tuple(reports), verdicts, tuple(scans), coverage, look)


def with_versions(catalogue: Catalogue, reports: Sequence[Report]) -> Catalogue:
    """Add what the reports say of fixed and affected versions to the advisories."""
    from hinomi.detect.advisoryfile import report_rules
    from hinomi.intel.osv import ranges_of

    return replace(catalogue, rules=(*catalogue.rules, *report_rules(r for one in reports for r in ranges_of(one))))


def look_of(scans: Sequence[ScanResult], organisation: Mapping[str, Any]) -> tuple[Look, Coverage]:
    """Join what several scans saw."""
    from hinomi.brief.document import worst_first
    from hinomi.brief.judge import Look

    coverage = Coverage()
    for result in scans:
        coverage.merge(result.coverage)
    findings = worst_first([f for s in scans for f in s.findings])
    stories = tuple(story for s in scans for story in s.stories)
    return Look(tuple(s.target for s in scans), findings, stories, coverage, organisation), coverage


def verdict_on(report: Report, catalogue: Catalogue, look: Look, view: MergedView) -> Verdict:
    """Answer one report's questions beside what others say, with the steps to take."""
    from hinomi.brief.judge import concerns, judge
    from hinomi.detect.checkability import coverage_of
    from hinomi.respond.plan import steps_for

    related = [f for f in look.findings if concerns(f, report)]
    return judge(report, coverage_of(report, catalogue), look, steps_for(related, report), view)
