"""The quick walk: one stamp for each folder, from names, inodes, sizes and ctimes. Nothing but folders is opened."""

from __future__ import annotations

import os
import stat

from hinomi.evidence.folders import miss_os_error
from hinomi.evidence.sources.root import RootView
from hinomi.evidence.view import Entry, EntryKind
from hinomi.model.findings import Coverage
from hinomi.model.stamps import stamp_of


def stamps_of(view: RootView, coverage: Coverage) -> dict[bytes, bytes]:
    """Return {folder: stamp} of every folder that has entries."""
    stamps: dict[bytes, bytes] = {}
    counted = 0

    def listing(path: bytes, fd: int, coverage: Coverage) -> list[Entry]:
        nonlocal counted
        found = _stats(view, path, fd, coverage)
        if found:
            counted += len(found)
            names = [name for name, _ in found]
            infos = [info for _, info in found]
            stamps[path] = stamp_of(
                names, [i.st_ino for i in infos], [i.st_size for i in infos], [i.st_ctime_ns for i in infos]
            )
        prefix = path if path == b"/" else path + b"/"
        return [_entry(prefix + name, info) for name, info in found if stat.S_ISDIR(info.st_mode)]

    for folder in view.folders(coverage, listing):
        folder.release()
    coverage.count("entries", counted)
    return stamps


def _stats(view: RootView, path: bytes, fd: int, coverage: Coverage) -> list[tuple[bytes, os.stat_result]]:
    prefix = path if path == b"/" else path + b"/"
    found = []
    try:
        with os.scandir(fd) as listing:
            for item in listing:
                name = os.fsencode(item.name)
                inside = prefix + name
                if view.leaves_out(inside, coverage):
                    continue
                try:
                    info = item.stat(follow_symlinks=False)
                except OSError as error:
                    miss_os_error(coverage, "walk", inside, error)
                    continue
                if not view.is_selective or view.chooses(_entry(inside, info), coverage):
                    found.append((name, info))
    except OSError as error:
        miss_os_error(coverage, "walk", path, error)
    found.sort(key=_name)
    return found


def _name(found: tuple[bytes, os.stat_result]) -> bytes:
    return found[0]


def _entry(path: bytes, info: os.stat_result) -> Entry:
    """Return as much of an entry as the walk asks for."""
    kind: EntryKind = "directory" if stat.S_ISDIR(info.st_mode) else "file"
    return Entry(path, kind, 0, 0, 0, 0, info.st_ino, info.st_dev, info.st_nlink, 0.0, 0.0)
