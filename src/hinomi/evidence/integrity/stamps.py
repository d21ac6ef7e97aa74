"""The quick walk: one stamp for each folder, from names, inodes, sizes and ctimes. Nothing but folders is opened."""

from __future__ import annotations

from hinomi.evidence.sources.root import RootView
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage
from hinomi.model.stamps import stamp_of


def stamps_of(view: RootView, coverage: Coverage) -> dict[bytes, bytes]:
    """Return {folder: stamp} of every folder that has entries."""
    stamps: dict[bytes, bytes] = {}
    counted = 0

    def listing(path: bytes, fd: int, coverage: Coverage) -> list[Entry]:
        nonlocal counted
        found = view.entries_of(path, fd, coverage)
        if found:
            counted += len(found)
            start = 1 if path == b"/" else len(path) + 1
            stamps[path] = stamp_of(
                [entry[0][start:] for entry in found],
                [entry.inode for entry in found],
                [entry.size for entry in found],
                [entry.ctime_ns or 0 for entry in found],
            )
        return [entry for entry in found if entry.kind == "directory"]

    for folder in view.folders(coverage, listing):
        folder.release()
    coverage.count("entries", counted)
    return stamps
