"""Open files and folders by descriptor: the parts of a root view that touch the system."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

from hinomi.evidence.folders import Identity
from hinomi.evidence.positions import PositionReader
from hinomi.evidence.sources.statx import UNKNOWN, Extras, status_of
from hinomi.evidence.view import Entry, EntryKind

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_QUIET = os.O_NOATIME if hasattr(os, "O_NOATIME") and hasattr(os, "geteuid") and os.geteuid() == 0 else 0
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC

_KINDS: dict[int, EntryKind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "block-device",
    stat.S_IFCHR: "character-device",
}


def open_at(name: bytes, flags: int, folder: int) -> int:
    """Open relative to `folder`, without touching access times where that is allowed."""
    if not _QUIET:
        return os.open(name, flags, dir_fd=folder)
    try:
        return os.open(name, flags | _QUIET, dir_fd=folder)
    except PermissionError:  # root of a user namespace, or a file system that refuses
        return os.open(name, flags, dir_fd=folder)


def make_entry(path: bytes, info: os.stat_result, link_target: bytes | None = None, extras: Extras = UNKNOWN) -> Entry:
    """Return the entry for what `stat` (and `statx`) say of `path`."""
    mode = info.st_mode
    btime, flags = extras
    return Entry(
        path,
        _KINDS.get(mode & 0o170000, "character-device"),
        info.st_size,
        mode & 0o7777,
        info.st_uid,
        info.st_gid,
        info.st_ino,
        info.st_dev,
        info.st_nlink,
        info.st_mtime,
        info.st_ctime,
        btime,
        link_target,
        info.st_blocks,
        info.st_mtime_ns,
        info.st_ctime_ns,
        flags,
    )


def entry_at(path: bytes, name: bytes, folder: int) -> Entry:
    """Return the entry `name` of an open folder as `path`, links not followed; `OSError` where it is gone."""
    status = status_of(name, folder)
    if status is None:  # gone, or a system without statx
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
        return make_entry(path, info, os.readlink(name, dir_fd=folder) if stat.S_ISLNK(info.st_mode) else None)
    kind = _KINDS.get(status.mode & 0o170000, "character-device")
    link = os.readlink(name, dir_fd=folder) if kind == "symlink" else None
    return Entry(
        path, kind, status.size, status.mode & 0o7777, status.uid, status.gid, status.inode, status.device,
        status.links, status.mtime, status.ctime, status.btime, link, status.blocks,
        status.mtime_ns, status.ctime_ns, status.flags,
    )  # fmt: skip


class FileHandle:
    """An open regular file by its descriptor (implements `Handle`)."""

    __slots__ = ("fd",)

    def __init__(self, name: bytes, folder: int) -> None:
        self.fd = open_at(name, FILE, folder)

    def identity(self) -> Identity:
        """Return what the descriptor is; `OSError` where it is no regular file."""
        info = os.fstat(self.fd)
        if info.st_mode & 0o170000 != 0o100000:
            raise OSError(errno.EINVAL, "not a regular file")
        return Identity(info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        return os.read(self.fd, size)

    def readinto(self, buffer: memoryview) -> int:
        """Fill `buffer` from the start."""
        return os.readv(self.fd, [buffer])

    def rewind(self) -> None:
        """Go back to the first byte."""
        os.lseek(self.fd, 0, os.SEEK_SET)

    def reader(self) -> BinaryIO:
        """Return a buffered reader with its own position."""
        return io.BufferedReader(_DescriptorReader(os.dup(self.fd)), 1 << 16)

    def xattrs(self) -> dict[str, bytes]:
        """Return extended attributes (one system call where there are none)."""
        return read_xattrs(self.fd)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)


class _DescriptorReader(PositionReader):
    """Reads a descriptor of its own (descriptors made by `dup` share their system's position)."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd

    def _length(self) -> int:
        return os.fstat(self._fd).st_size

    def _fill(self, buffer: WriteableBuffer, offset: int) -> int:
        return os.preadv(self._fd, [buffer], offset)

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()


class OpenFolder:
    """A folder of the walk, held open until its last user is done (implements `Folder`)."""

    __slots__ = ("_before_open", "_lock", "_users", "entries", "fd")

    def __init__(self, fd: int, before_open: Callable[[bytes], None] | None = None) -> None:
        self.fd = fd
        self._before_open = before_open
        self._users = 1
        self._lock = Lock()
        self.entries: Sequence[Entry] = ()

    def open(self, entry: Entry) -> FileHandle:
        """Open one of the folder's files by its bare name."""
        if self._before_open is not None:
            self._before_open(entry.path)
        return FileHandle(entry.path.rsplit(b"/", 1)[-1], self.fd)

    def retain(self) -> None:
        """Add a user."""
        with self._lock:
            self._users += 1

    def release(self) -> None:
        """Drop a user; the last closes."""
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            os.close(self.fd)


def read_xattrs(fd: int) -> dict[str, bytes]:
    """Return a descriptor's extended attributes; empty where the file system has none."""
    try:
        return {name: os.getxattr(fd, name) for name in os.listxattr(fd)[:64]}
    except OSError:
        return {}
