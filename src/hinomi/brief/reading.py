"""The contract's `hinomi.report/1` object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hinomi.model.claims import ClaimCoverage, Report


def report_object(report: Report, coverage: Sequence[ClaimCoverage]) -> dict[str, Any]:
    """Return a report with sections, claims, relations and what can check each claim."""
    return {
        "schema": "hinomi.report/1", "id": report.id, "source": report.source, "title": report.title,
        "language": report.language, "published": report.published, "media_type": report.media_type,
        "sha256": report.sha256, "notes": list(report.notes),
        "sections": [s.to_json() for s in report.sections], "claims": [c.to_json() for c in report.claims],
        "relations": [r.to_json() for r in report.relations], "coverage": [c.to_json() for c in coverage],
    }  # fmt: skip
