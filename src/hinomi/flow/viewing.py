"""What the console shows: the case at a glance, and one run's findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hinomi import __version__
from hinomi.flow.briefing import coverage_from
from hinomi.store.case import Case, RunInfo

if TYPE_CHECKING:
    from hinomi.brief.document import ScanDocument


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report of the library in one line."""

    id: str
    title: str
    language: str
    published: str | None
    claims: int


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in one line, with how many findings of each severity it saw."""

    run: RunInfo
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    """A case at a glance."""

    reports: tuple[ReportLine, ...]
    runs: tuple[RunLine, ...]
    made: str
    version: str

    def to_json(self) -> dict[str, Any]:
        """Return the overview as an object."""
        return {
            "reports": [{"id": r.id, "title": r.title, "claims": r.claims} for r in self.reports],
            "runs": [
                {"id": r.run.id, "target": r.run.target, "started": r.run.started, "findings": r.counts}
                for r in self.runs
            ],
        }


def overview(case: Case) -> Overview:
    """Return the case at a glance, newest run first."""
    reports = [ReportLine(r.id, r.title, r.language, r.published, len(r.claims)) for r in case.library.reports()]
    runs = [RunLine(run, _counts(case, run.id)) for run in reversed(case.runs())]
    return Overview(tuple(reports), tuple(runs), case.clock().isoformat(), __version__)


def _counts(case: Case, run_id: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in case.findings.of_run(run_id):
        counts[finding.severity] = counts.get(finding.severity, 0) + 1
    return counts


def findings_of(case: Case, run_id: str) -> ScanDocument | None:
    """Return a run's findings as one document; None where there is no such finished run."""
    from hinomi.brief.document import ScanDocument, worst_first
    from hinomi.detect.story import tell

    run = next((r for r in case.runs() if r.id == run_id), None)
    if run is None:
        return None
    findings = case.findings.of_run(run_id)
    coverage = coverage_from(run.coverage or {})
    made = run.finished or run.started
    return ScanDocument((run.target,), worst_first(findings), tuple(tell(findings)), coverage, made, __version__)
