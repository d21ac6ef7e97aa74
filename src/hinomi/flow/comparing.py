"""Compare two looks at one target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hinomi.model.errors import UsageError
from hinomi.store.case import Case, RunInfo

if TYPE_CHECKING:
    from hinomi.watch.diff import Change


def difference(case: Case, old: str | None, new: str | None) -> tuple[RunInfo, RunInfo, list[Change]]:
    """Return two runs (by default the last two of the target looked at last) and what differs between them."""
    from hinomi.watch.diff import compare

    earlier, later = _pair(case, old, new)
    changes = compare(case.tables(earlier.id).get("files", []), case.tables(later.id).get("files", []))
    return earlier, later, changes


def _pair(case: Case, old: str | None, new: str | None) -> tuple[RunInfo, RunInfo]:
    runs = case.runs()
    by_id = {run.id: run for run in runs}
    for wanted in (old, new):
        if wanted is not None and wanted not in by_id:
            raise UsageError("baseline.need-two", place=wanted, cause="no such finished scan")
    later = by_id[new] if new else runs[-1] if runs else None
    if later is None:
        raise UsageError("baseline.need-two", place=str(case.path), cause="no finished scan")
    earlier = by_id[old] if old else _before(runs, later)
    if earlier is None:
        raise UsageError("baseline.need-two", place=later.target, cause="only one finished scan")
    return earlier, later


def _before(runs: list[RunInfo], later: RunInfo) -> RunInfo | None:
    same = [r for r in runs if (r.host, r.target) == (later.host, later.target) and r.id != later.id]
    return next((r for r in reversed(same) if r.started <= later.started), None)
