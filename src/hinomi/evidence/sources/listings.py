"""All entries of one open folder, by the compiled core where there is one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from hinomi.evidence.folders import miss_os_error
from hinomi.evidence.inodeflags import STATX
from hinomi.evidence.native import compiled
from hinomi.evidence.sources.descriptors import entry_at
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage

_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()

Whole = Callable[[int, bytes, Coverage], list[Entry]]  # descriptor, what their paths begin with -> entries in order


def whole_folders() -> Whole:
    """Return what lists a folder of which nothing is left out; it raises `OSError` where it cannot be listed."""
    core = compiled("listing")
    if core is None:
        return _whole
    list_folder = core.list_folder

    def whole(fd: int, prefix: bytes, coverage: Coverage) -> list[Entry]:
        entries: list[Entry]
        entries, refused = list_folder(fd, prefix, Entry, STATX)
        if refused:
            asked = (asked_again(path, path[len(prefix) :], fd, coverage) for path in refused)
            entries = sorted([*entries, *filter(None, asked)], key=_path)
        return entries

    return whole


def names_in(fd: int) -> list[bytes]:
    """Return a folder's names in byte order."""
    return sorted([name.encode(_ENCODING, _ERRORS) for name in os.listdir(fd)])


def asked_again(path: bytes, name: bytes, fd: int, coverage: Coverage) -> Entry | None:
    """Return one entry; None, with a miss, where the system refuses."""
    try:
        return entry_at(path, name, fd)
    except OSError as error:
        miss_os_error(coverage, "walk", path, error)
        return None


def _whole(fd: int, prefix: bytes, coverage: Coverage) -> list[Entry]:
    found = (asked_again(prefix + name, name, fd, coverage) for name in names_in(fd))
    return [entry for entry in found if entry is not None]


def _path(entry: Entry) -> bytes:
    return entry.path
