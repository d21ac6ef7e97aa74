"""From findings and coverage to the contract's exit code."""

from __future__ import annotations

from collections.abc import Iterable

from hinomi.model.errors import ExitCode
from hinomi.model.findings import Coverage, Finding, severity_rank


def exit_code(findings: Iterable[Finding], coverage: Coverage, fail_on: str) -> int:
    """Return 1 for a finding at or above `fail_on`, else 3 for an incomplete look, else 0."""
    if fail_on != "never":
        least = severity_rank(fail_on)  # type: ignore[arg-type]
        if any(severity_rank(f.severity) >= least for f in findings):
            return int(ExitCode.FINDINGS)
    return int(ExitCode.OK if coverage.complete else ExitCode.INCOMPLETE)
