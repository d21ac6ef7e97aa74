"""The quick look: folders whose stamp is unchanged are trusted; what differs, and a sample by lot, is read."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from hinomi.evidence.integrity.measure import Measurer
from hinomi.evidence.integrity.measured import Measured
from hinomi.evidence.integrity.stamps import stamps_of
from hinomi.evidence.sources.root import RootView
from hinomi.flow.baseline_target import BaselineTarget, Looked, measured_again
from hinomi.model.errors import UsageError
from hinomi.watch.baseline.entries import table_of
from hinomi.watch.baseline.sealed import Baseline
from hinomi.watch.baseline.secrets import may_keep

if TYPE_CHECKING:
    import pyarrow as pa


def measured_quickly(
    looked: BaselineTarget, baseline: Baseline, old: pa.Table, sample: int, seed: int
) -> tuple[pa.Table, set[bytes]]:
    """Return what was measured, and of which paths of the baseline the absence means that they are gone.

    The coverage says how many files were trusted unread, how many were read again, and the seed of the lot.
    """
    view = looked.main.view if isinstance(looked, Looked) else None
    if not isinstance(looked, Looked) or not isinstance(view, RootView) or looked.image is not None:
        raise UsageError("baseline.quick-needs-times", place=looked.name, cause="an image's times prove nothing")
    before, now = baseline.stamps(), stamps_of(view, looked.coverage)
    differing = {folder for folder in before.keys() | now.keys() if before.get(folder) != now.get(folder)}
    paths = old.column("path").to_pylist()
    inside = {p for p in paths if (p.rpartition(b"/")[0] or b"/") in differing and p != b"/"} if differing else set()
    rows = _of_folders(looked, view, sorted(differing & now.keys()), _known(old, paths, inside))
    touched = inside | {row.path for row in rows}
    lot = _sample(old, paths, touched, sample, seed)
    rows += measured_again(looked, lot)
    _say(looked, paths, rows, lot, seed)
    return _with_unchanged(table_of(rows), old, inside, view, differing & now.keys()), inside


def _known(old: pa.Table, paths: list[bytes], inside: set[bytes]) -> dict[bytes, tuple[int, int, int]]:
    """Return (inode, size, ctime) of the baseline's entries in folders that differ."""
    if not inside:
        return {}
    columns = [old.column(name).to_pylist() for name in ("inode", "size", "ctime")]
    return {p: (i, s, c) for p, i, s, c in zip(paths, *columns, strict=True) if p in inside}


def _of_folders(
    looked: Looked, view: RootView, folders: list[bytes], known: dict[bytes, tuple[int, int, int]]
) -> list[Measured]:
    """Measure the entries of folders whose inode is not as it was."""
    measurer = Measurer(looked.main, looked.coverage, may_keep)
    rows = []
    for path in folders:
        folder = view.listed(path, looked.coverage)
        if folder is None:
            continue
        try:
            for entry in folder.entries:
                if known.get(entry.path) != (entry.inode, entry.size, entry.ctime_ns):
                    rows.append(measurer.measure(folder, entry))
        finally:
            folder.release()
    return rows


def _with_unchanged(new: pa.Table, old: pa.Table, inside: set[bytes], view: RootView, folders: set[bytes]) -> pa.Table:
    """Add the entries of differing folders that are still there as they were."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from hinomi.watch.baseline.entries import COLUMNS, sorted_by_path

    measured = set(new.column("path").to_pylist())
    there = [
        path
        for folder in sorted(folders)
        for name in view.listdir(folder)
        if (path := (folder if folder == b"/" else folder + b"/") + name) in inside and path not in measured
    ]
    if not there:
        return new
    same = old.filter(pc.is_in(old.column("path"), value_set=pa.array(there, pa.binary())))
    return sorted_by_path(pa.concat_tables([new, same.select(list(COLUMNS))]).unify_dictionaries())


def _sample(old: pa.Table, paths: list[bytes], touched: set[bytes], sample: int, seed: int) -> list[bytes]:
    """Return regular files of unchanged folders, drawn by lot."""
    import pyarrow.compute as pc

    files = pc.indices_nonzero(pc.equal(old.column("kind").cast("string"), "file")).to_pylist()
    chosen = Random(seed).sample(files, min(sample, len(files)))
    return sorted({paths[number] for number in chosen} - touched)


def _say(looked: Looked, paths: list[bytes], rows: list[Measured], lot: list[bytes], seed: int) -> None:
    coverage = looked.coverage
    coverage.count("entries-trusted-by-inode-size-and-ctime", max(0, len(paths) - len(rows)))
    coverage.count("files-read-by-lot", len(lot))
    coverage.count("entries-measured", len(rows))
    coverage.skip(f"lot-seed:{seed}")
