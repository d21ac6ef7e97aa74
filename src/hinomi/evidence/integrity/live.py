"""Files of a live file system, read by descriptor with as few system calls as the answer needs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from array import array
from collections.abc import Mapping
from contextlib import suppress

from hinomi.evidence.content import FileChangedError, page_buffer
from hinomi.evidence.integrity.measured import Seen
from hinomi.evidence.sources.descriptors import FILE, FOLDER, OpenFolder, open_at, read_xattrs
from hinomi.evidence.view import Entry

CHUNK = 1 << 17  # stays in the processor's own cache between reading and hashing
_GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS
_DEVICES = ("character-device", "block-device")


class LiveReader:
    """Opens entries of an open folder; not for several threads (one buffer)."""

    def __init__(self, limit: int, small: int) -> None:
        self._limit = limit
        self._small = small
        self._buffer = page_buffer(CHUNK)
        self._flags = array("L", [0])

    def file(self, folder: OpenFolder, entry: Entry, known: bytes | None) -> tuple[Seen, bytes | None]:
        """Return what a regular file holds and, where it is small, its content; a `known` digest spares the reading.

        `FileChangedError` where it is not the file that was listed, or changes twice while it is read.
        """
        fd = open_at(entry.path.rsplit(b"/", 1)[-1], FILE, folder.fd)
        try:
            content: bytes | None = None
            digest = known
            if digest is None:
                digest, content = self._settled(fd, entry)
            return Seen(digest, read_xattrs(fd), self._inode_flags(fd)), content
        finally:
            os.close(fd)

    def _settled(self, fd: int, entry: Entry) -> tuple[bytes, bytes | None]:
        """Read the file until it is the same before and after."""
        before = os.fstat(fd)
        if (before.st_ino, before.st_dev) != (entry.inode, entry.device) or not stat.S_ISREG(before.st_mode):
            raise FileChangedError("replaced since it was listed")
        for _ in range(2):
            found = self._read(fd, before.st_size)
            after = os.fstat(fd)
            if (after.st_mtime_ns, after.st_ctime_ns, after.st_size) == (
                before.st_mtime_ns, before.st_ctime_ns, before.st_size,
            ):  # fmt: skip
                return found
            before = after
            os.lseek(fd, 0, os.SEEK_SET)
        raise FileChangedError("changes while it is read")

    def _read(self, fd: int, size: int) -> tuple[bytes, bytes | None]:
        if size < CHUNK:
            content = os.read(fd, CHUNK)
            if len(content) == size:
                return hashlib.sha256(content).digest(), content if size <= self._small else None
            os.lseek(fd, 0, os.SEEK_SET)
        buffer, total, made = self._buffer, 0, hashlib.sha256()
        while number := os.readv(fd, [buffer]):
            total += number
            if total > self._limit:
                raise OSError("larger than the limit")
            made.update(buffer[:number])
        return made.digest(), None

    def other(self, folder: OpenFolder, entry: Entry) -> Seen:
        """Return what an entry that is no regular file has beyond its listing; nothing but folders is opened."""
        name = entry.path.rsplit(b"/", 1)[-1]
        if entry.kind == "directory":
            return self._folder(folder, name)
        device = _device(folder.fd, name) if entry.kind in _DEVICES else None
        return Seen(xattrs=_unopened(folder.fd, name), device=device)

    def _folder(self, folder: OpenFolder, name: bytes) -> Seen:
        fd = open_at(name or b".", FOLDER, folder.fd)
        try:
            return Seen(xattrs=read_xattrs(fd), flags=self._inode_flags(fd))
        finally:
            os.close(fd)

    def _inode_flags(self, fd: int) -> int | None:
        try:
            fcntl.ioctl(fd, _GET_FLAGS, self._flags)
        except OSError:  # a file system without inode flags
            return None
        return self._flags[0] & 0xFFFFFFFF


def _device(folder: int, name: bytes) -> str | None:
    with suppress(OSError):
        number = os.stat(name, dir_fd=folder, follow_symlinks=False).st_rdev
        return f"{os.major(number)}:{os.minor(number)}"
    return None


def _unopened(folder: int, name: bytes) -> Mapping[str, bytes]:
    """Return the attributes of what must not be opened (links, devices), through the folder's descriptor."""
    path = b"/proc/self/fd/%d/%s" % (folder, name)
    try:
        names = os.listxattr(path, follow_symlinks=False)
        return {one: os.getxattr(path, one, follow_symlinks=False) for one in names[:64]}
    except OSError:
        return {}
