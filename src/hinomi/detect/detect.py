"""Rows and rules -> findings: every adapter over one run, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hinomi.detect.advisory import AdvisorySource, match_advisories
from hinomi.detect.catalogue import Catalogue
from hinomi.detect.draft import Draft, cited, finish, merged
from hinomi.detect.indicator import Indicator, match_indicators
from hinomi.detect.memory import match_memory
from hinomi.detect.rule import Rule
from hinomi.detect.shows import shown_rows
from hinomi.detect.sql import Evidence, Queries
from hinomi.detect.sqlrule import run_rules
from hinomi.detect.story import joined, tell
from hinomi.detect.yara import match_content
from hinomi.model.findings import Coverage, Finding

CHANGES = "baseline_changes"  # the table that a verification of a signed baseline gives


def detect(
    tables: dict[str, list[Path]],
    catalogue: Catalogue,
    indicators: Sequence[Indicator] = (),
    *,
    target: str,
    run: str,
    coverage: Coverage,
    seen: str | None = None,
    before: dict[str, list[Path]] | None = None,
    known: AdvisorySource | None = None,
) -> list[Finding]:
    """Return the findings of one run of one target, most severe first; the same input gives the same list.

    `tables` maps table names to the run's Parquet files; `before` those of an earlier look or of the original, which
    the baseline rules compare the run with. `seen` is the time of the run (ISO 8601, UTC). A rule that fails is a miss
    in `coverage`; nothing that a rule or the evidence holds raises. `known` holds advisories beside the catalogue's.
    """
    catalogue.tell_errors(coverage)
    with Evidence(tables, before=before) as evidence:
        for table, cause in evidence.problems:
            coverage.miss(f"table:{table}", table, "unreadable", cause)
        drafts = merged(drafts_of(evidence, catalogue, indicators, coverage, known))
        shows = shown_rows(evidence, {ref for draft in drafts for ref in cited(draft)})
    return worded(drafts, shows, target=target, run=run, seen=seen)


def worded(
    drafts: list[Draft], shows: Mapping[tuple[str, int], str], *, target: str, run: str, seen: str | None
) -> list[Finding]:
    """Return merged drafts as findings, those that touch each other joined to stories."""
    findings = finish(drafts, shows, target=target, run=run, seen=seen)
    return joined(findings, tell(findings))


def drafts_of(
    evidence: Queries,
    catalogue: Catalogue,
    indicators: Sequence[Indicator],
    coverage: Coverage,
    known: AdvisorySource | None = None,
) -> list[Draft]:
    """Return what every adapter finds; a rule that fails is a miss of that rule alone."""
    return [
        *run_rules(evidence, catalogue.of_kind("sql"), coverage),
        *run_rules(evidence, _comparing(evidence, catalogue), coverage),
        *match_content(evidence, catalogue.of_kind("yara"), coverage),
        *match_memory(evidence, catalogue.of_kind("yara"), coverage),
        *match_advisories(evidence, catalogue.of_kind("advisory"), coverage, known),
        *match_indicators(evidence, indicators, coverage),
    ]


def _comparing(evidence: Queries, catalogue: Catalogue) -> list[Rule]:
    """Return the baseline rules that have something to compare: the rows of a verification, or an earlier state."""
    verified = evidence.has(CHANGES)
    return [r for r in catalogue.of_kind("baseline") if (verified if CHANGES in r.body else evidence.compared)]
