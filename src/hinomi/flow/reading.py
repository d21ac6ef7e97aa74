"""Read reports into the library."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from hinomi.model.claims import ClaimCoverage, Report
from hinomi.model.errors import PermissionDeniedError, ReportError
from hinomi.store.case import Case

MAX_REPORT_BYTES = 64 << 20


def load(source: str) -> bytes:
    """Return a report's bytes from a file, or from standard input for `-`.

    Raises `ReportError` for what is missing, no regular file or larger than 64 MiB.
    """
    if source == "-":
        return _within(sys.stdin.buffer.read(MAX_REPORT_BYTES + 1), source)
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise ReportError("report.missing", place=source, cause=str(error.strerror)) from error
    except PermissionError as error:
        raise PermissionDeniedError("report.denied", place=source, cause=str(error.strerror)) from error
    except (OSError, ValueError) as error:
        raise ReportError("report.unreadable", place=source, cause=str(error)) from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ReportError("report.not-a-file", place=source, cause="not a regular file")
        return _within(file.read(MAX_REPORT_BYTES + 1), source)


def _within(data: bytes, source: str) -> bytes:
    if len(data) > MAX_REPORT_BYTES:
        raise ReportError("report.too-large", place=source, cause=f"more than {MAX_REPORT_BYTES >> 20} MiB")
    return data


def read_reports(case: Case | None, sources: Sequence[str]) -> list[Report]:
    """Read every source; with a case, keep the reports and return them as kept (with people's decisions)."""
    from hinomi.intel.read import read_report

    reports = []
    for source in sources:
        name = "stdin" if source == "-" else Path(source).name
        report = read_report(name, load(source))
        if case is not None:
            case.library.add(report)
            case.journal.append("report-read", report=report.id, source=name, claims=len(report.claims))
            report = case.library.get(report.id) or report
        reports.append(report)
    return reports


def coverage_of_reports(case: Case | None, reports: Sequence[Report]) -> dict[str, tuple[ClaimCoverage, ...]]:
    """Return, per report, which rules check each claim, or why nothing can."""
    from hinomi.detect.catalogue import load_rules
    from hinomi.detect.checkability import coverage_of

    own = case.path / "rules" if case else None
    catalogue = load_rules([own] if own and own.is_dir() else [])
    return {report.id: coverage_of(report, catalogue) for report in reports}
