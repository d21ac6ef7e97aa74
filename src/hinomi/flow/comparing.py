"""Compare two looks at one target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hinomi.model.errors import UsageError
from hinomi.store.case import Case, RunInfo

if TYPE_CHECKING:
    import pyarrow as pa

    from hinomi.watch.diff import Change


def difference(case: Case, old: str | None, new: str | None) -> tuple[RunInfo, RunInfo, list[Change]]:
    """Return two runs (by default the last two of the target looked at last) and what differs between them."""
    from hinomi.watch.diff import compare

    earlier, later = _pair(case, old, new)
    changes = compare(case.tables(earlier.id).get("files", []), case.tables(later.id).get("files", []))
    return earlier, later, changes


def difference_of_targets(case: Case, old: str, new: str, *, kind: str | None = None) -> list[Change]:
    """Return what differs between two targets or baseline files: content, rights and names, not times of the copies."""
    from hinomi.watch.baseline.compare import compare as compare_entries
    from hinomi.watch.baseline.entries import PLACE
    from hinomi.watch.baseline.rows import plain

    tables = [_entries_of(case, name, kind) for name in (old, new)]
    found = compare_entries(*tables, ignore=PLACE | {"mtime"})
    return [plain(one) for one in found if one.kind != "directory" or one.attributes != ("size",)]


def _entries_of(case: Case, name: str, kind: str | None) -> pa.Table:
    from hinomi.flow.baseline_apart import look_at
    from hinomi.flow.baseline_target import measured
    from hinomi.watch.baseline.sealed import is_baseline, read_baseline

    if is_baseline(Path(name)):
        return read_baseline(Path(name)).entries()
    with look_at(case, name, kind=kind) as looked:
        return measured(looked, owners=False)


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
