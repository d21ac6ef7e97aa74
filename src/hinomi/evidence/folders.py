"""What the pipeline asks of a view beyond `FileSystemView`: folders whose files open relative to the open folder.

A view that keeps a folder open while its files are read (a real file system does) implements `FolderView`: no path is
looked up twice, so nobody can swap a parent for a link in between. Any other view is served by `folders_of`, which
opens by path.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from hinomi.evidence.view import Entry, FileSystemView
from hinomi.model.findings import Coverage
from hinomi.model.text import path_text, printable

_REASONS = {errno.EACCES: "permission", errno.EPERM: "permission", errno.ENOENT: "vanished", errno.ESTALE: "vanished"}
NOT_COLLECTED = errno.ENODATA
_SWAPPED = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EINVAL, errno.ENXIO, errno.EISDIR})


def miss_os_error(coverage: Coverage, area: str, path: bytes, error: OSError) -> None:
    """Record why the system refused a path: gone is transient, replaced since it was listed is `changed`.

    A file that a collection lists without its content (`NOT_COLLECTED`) is left out by whoever collected.
    """
    number = error.errno or 0
    if number == NOT_COLLECTED:
        coverage.skip("listed-only")
        return
    reason = "changed" if number in _SWAPPED else _REASONS.get(number, "unreadable")
    detail = "" if reason in ("permission", "vanished") else (error.strerror or "")
    coverage.miss(area, printable(path_text(path)), reason, detail, transient=reason == "vanished")


class Identity(NamedTuple):
    """What tells whether an open file is the one that was listed, and whether it changed while it was read."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Handle(Protocol):
    """An open regular file. Every method raises `OSError` for what cannot be read and nothing else."""

    def identity(self) -> Identity:
        """Return what the file is now."""

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`; fewer do not mean the end, none do."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill the start of `buffer` with the next bytes and return their number; 0 at the end."""

    def rewind(self) -> None:
        """Go back to the first byte."""

    def reader(self) -> BinaryIO:
        """Return a seekable reader of its own position; the caller closes it, the handle stays open."""

    def xattrs(self) -> dict[str, bytes]:
        """Return extended attributes."""

    def close(self) -> None:
        """Close the file."""


class Folder(Protocol):
    """The entries of one folder, in byte order of their names."""

    entries: Sequence[Entry]

    def open(self, entry: Entry) -> Handle:
        """Open one of the regular files; `OSError` where it is no longer one."""

    def retain(self) -> None:
        """Keep the folder open for one more user."""

    def release(self) -> None:
        """End one use; the last one closes the folder."""


@runtime_checkable
class FolderView(Protocol):
    """A view that can hand out folders."""

    def folders(self, coverage: Coverage) -> Iterator[Folder]:
        """Yield every folder of the walk, parents first. The caller owns one use of each and must release it."""


@runtime_checkable
class DescriptorView(FolderView, Protocol):
    """A view whose folders are open as descriptors of the system, in their `fd`, where `by_descriptor` is true."""

    by_descriptor: bool


@runtime_checkable
class WorkerView(Protocol):
    """A view whose files can be opened again in a worker process that inherited it (no shared file position)."""

    in_workers: bool

    def folder_at(self, path: bytes) -> Folder:
        """Open a folder by its path, no part of which may be a link; `OSError` where that fails."""


def folders_of(view: FileSystemView, coverage: Coverage) -> Iterator[Folder]:
    """Return the view's folders; views without any are grouped by parent path and opened by path."""
    return view.folders(coverage) if isinstance(view, FolderView) else _grouped(view, coverage)


GROUP_SIZE = 512


def _grouped(view: FileSystemView, coverage: Coverage) -> Iterator[Folder]:
    group: list[Entry] = []
    for entry in view.walk(coverage):
        group.append(entry)
        if len(group) >= GROUP_SIZE:
            yield _PathFolder(view, group)
            group = []
    if group:
        yield _PathFolder(view, group)


class _PathFolder:
    """Entries of a view that opens by path."""

    def __init__(self, view: FileSystemView, entries: Sequence[Entry]) -> None:
        self._view = view
        self.entries = entries

    def open(self, entry: Entry) -> Handle:
        return _PathHandle(self._view, entry)

    def retain(self) -> None:
        """Nothing to keep."""

    def release(self) -> None:
        """Nothing to close."""


class _PathHandle:
    """An open file of a view that opens by path; what it is comes from its entry."""

    def __init__(self, view: FileSystemView, entry: Entry) -> None:
        self._view = view
        self._entry = entry
        self._file = view.open(entry.path)

    def identity(self) -> Identity:
        entry = self._view.entry(self._entry.path) or self._entry
        return Identity(entry.device, entry.inode, entry.size, int(entry.mtime * 1e9), int(entry.ctime * 1e9))

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def readinto(self, buffer: memoryview) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def rewind(self) -> None:
        self._file.seek(0)

    def reader(self) -> BinaryIO:
        return self._view.open(self._entry.path)

    def xattrs(self) -> dict[str, bytes]:
        return self._view.xattrs(self._entry.path)

    def close(self) -> None:
        self._file.close()
