"""The entries of one open folder, all or those that are named, by the compiled core where there is one."""

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

# descriptor, what their paths begin with, coverage, names in byte order (None: all there are) -> entries in order
Asked = Callable[[int, bytes, Coverage, list[bytes] | None], list[Entry]]


def asked_entries() -> Asked:
    """Return what asks for a folder's entries; it raises `OSError` where the folder cannot be listed."""
    core = compiled("listing")
    if core is None:
        return _asked
    list_folder = core.list_folder

    def asked(fd: int, prefix: bytes, coverage: Coverage, names: list[bytes] | None) -> list[Entry]:
        entries: list[Entry]
        entries, refused = list_folder(fd, prefix, Entry, STATX, names)
        if refused:
            again = (_asked_again(path, path[len(prefix) :], fd, coverage) for path in refused)
            entries = sorted([*entries, *filter(None, again)], key=_path)
        return entries

    return asked


def names_in(fd: int) -> list[bytes]:
    """Return a folder's names in byte order."""
    return sorted([name.encode(_ENCODING, _ERRORS) for name in os.listdir(fd)])


def _asked_again(path: bytes, name: bytes, fd: int, coverage: Coverage) -> Entry | None:
    """Return one entry; None, with a miss, where the system refuses."""
    try:
        return entry_at(path, name, fd)
    except OSError as error:
        miss_os_error(coverage, "walk", path, error)
        return None


def _asked(fd: int, prefix: bytes, coverage: Coverage, names: list[bytes] | None) -> list[Entry]:
    found = (_asked_again(prefix + name, name, fd, coverage) for name in (names_in(fd) if names is None else names))
    return [entry for entry in found if entry is not None]


def _path(entry: Entry) -> bytes:
    return entry.path
