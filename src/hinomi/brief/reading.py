"""The contract's `hinomi.report/1` object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hinomi.intel.language import sentence_spans
from hinomi.model.claims import Claim, ClaimCoverage, Report

_AROUND = 400
"""Characters of a sentence shown on either side of a claim."""


def report_object(report: Report, coverage: Sequence[ClaimCoverage]) -> dict[str, Any]:
    """Return a report with sections, claims, relations and what can check each claim."""
    return {
        "schema": "hinomi.report/1", "id": report.id, "source": report.source, "title": report.title,
        "language": report.language, "published": report.published, "media_type": report.media_type,
        "sha256": report.sha256, "notes": list(report.notes),
        "sections": [s.to_json() for s in report.sections], "claims": [c.to_json() for c in report.claims],
        "relations": [r.to_json() for r in report.relations], "coverage": [c.to_json() for c in coverage],
    }  # fmt: skip


def sentence_of(report: Report, claim: Claim) -> tuple[str, int, int]:
    """Return the sentence a claim stands in and where in it the claim begins and ends.

    Long sentences are cut on either side; a claim over several sentences gives all of them.
    """
    first, last = claim.span
    low = max(report.text.rfind("\n", 0, first) + 1, first - _AROUND)
    end = report.text.find("\n", last)
    high = min(end if end >= 0 else len(report.text), last + _AROUND)
    spans = [span for span in sentence_spans(report.text, low, high) if span[0] < last and span[1] > first]
    start, stop = (min(spans[0][0], first), max(spans[-1][1], last)) if spans else (first, last)
    return report.text[start:stop], first - start, last - start
