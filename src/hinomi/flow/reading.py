"""Read reports into the library."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace
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


def read_reports(case: Case | None, sources: Sequence[str], *, online: bool = False) -> list[Report]:
    """Read every source; with a case, keep the reports and return them as kept (with people's decisions).

    An http or https address is fetched with `online`, else it is a `UsageError`; the final address is the source.
    """
    return [kept(case, *loaded(source, online=online)) for source in sources]


def loaded(source: str, *, online: bool = False) -> tuple[str, bytes, str | None]:
    """Return (source as kept, bytes, media type) of a file, of standard input (`-`), or of an address."""
    from hinomi.flow.online import fetch, is_url, require_online

    if is_url(source):
        require_online(source, online)
        page = fetch(source)
        return page.url, page.data, page.media_type
    return "stdin" if source == "-" else Path(source).name, load(source), None


def kept(
    case: Case | None, source: str, data: bytes, media_type: str | None = None, published: str | None = None
) -> Report:
    """Read one report from its bytes and keep it; `published` is its date where it gives none itself."""
    from hinomi.intel.read import read_report

    report = read_report(source, data, media_type=media_type)
    report = replace(report, published=report.published or published)
    if case is None:
        return report
    report = _apart(case, report)
    case.library.add(report)
    case.journal.append("report-read", report=report.id, source=source, claims=len(report.claims))
    return case.library.get(report.id) or report


def _apart(case: Case, report: Report) -> Report:
    """A bundle says which report it is; one that is here and reads otherwise stays, and the bundle is another."""
    from hinomi.intel.read import own_id

    known = case.library.get(report.id)
    if known is None or known.sha256 == report.sha256:
        return report
    return replace(report, id=own_id(report.sha256))


def coverage_of_reports(case: Case | None, reports: Sequence[Report]) -> dict[str, tuple[ClaimCoverage, ...]]:
    """Return, per report, which rules check each claim, or why nothing can."""
    from hinomi.detect.catalogue import load_rules
    from hinomi.detect.checkability import coverage_of

    own = case.path / "rules" if case else None
    catalogue = load_rules([own] if own and own.is_dir() else [])
    return {report.id: coverage_of(report, catalogue) for report in reports}
