"""One regular file, read once: digest, type and what the content collectors look at."""

from __future__ import annotations

import hashlib
import io
import mmap
from collections.abc import Callable, Iterable
from threading import local
from typing import Any, BinaryIO, Protocol

from hinomi.evidence.collector import HEAD_SIZE
from hinomi.evidence.content_types import content_type
from hinomi.evidence.folders import Handle, Identity
from hinomi.evidence.view import Entry

SMALL = 1 << 20  # files up to this are held in memory while they are examined
CHUNK = 4 << 20
_buffers = local()


class FileChangedError(OSError):
    """The file was not the same before and after it was read, or is not the one that was listed."""


class FileTooLargeError(OSError):
    """The file is larger than the limits allow."""


class Fed(Protocol):
    """Something that wants a large file's bytes while they are read."""

    def feed(self, data: memoryview) -> None:
        """Take the next bytes; never raises."""


Begin = Callable[[bytes], Iterable[Fed]]


def _nobody(head: bytes) -> Iterable[Fed]:
    return ()


class Content:
    """An open file after its one reading (implements `ContentFile`). Small files are bytes, large ones a handle."""

    __slots__ = ("_begin", "_data", "_handle", "content_type", "digest", "entry", "head", "sha256", "size")

    def __init__(
        self, entry: Entry, handle: Handle, digest_kind: str | None, limit: int, begin: Begin = _nobody
    ) -> None:
        """Read the file; `OSError` where it cannot be read, changed twice, or exceeds `limit` bytes.

        `digest` becomes the MD5 or SHA-1 in hex where `digest_kind` asks for one, else the SHA-256. `begin` is called
        with the head of a large file, each time it is read from the start, and returns who wants its bytes.
        """
        self.entry = entry
        self._handle = handle
        self._begin = begin
        before = handle.identity()
        if (before.device, before.inode) != (entry.device, entry.inode):
            raise FileChangedError("replaced since it was listed")
        for attempt in (1, 2):
            self._read(before, digest_kind, limit)
            after = handle.identity()
            if after == before:
                break
            if attempt == 2:
                raise FileChangedError("changes while it is read")
            before = after
            handle.rewind()
        self.content_type = content_type(self.head)

    @classmethod
    def of(cls, entry: Entry, data: bytes, sha256: str, digest: str) -> Content:
        """Return what is known of a file that was read whole already."""
        made = cls.__new__(cls)
        made.entry, made.sha256, made.digest = entry, sha256, digest
        made._data = data
        made.head = data[:HEAD_SIZE]
        made.size = len(data)
        made.content_type = content_type(made.head)
        return made

    def _read(self, identity: Identity, digest_kind: str | None, limit: int) -> None:
        if identity.size > limit:
            raise FileTooLargeError("larger than the limit")
        if identity.size <= SMALL:
            self._read_small(identity.size, digest_kind, limit)
        else:
            self._read_large(digest_kind, limit)

    def _read_small(self, size: int, digest_kind: str | None, limit: int) -> None:
        handle, buffer = self._handle, _buffer()
        _buffers.owner = None
        data = bytes(buffer[: handle.readinto(buffer[: size + 1])])
        while len(data) != size:  # short read, growing file, or one that says size 0
            more = handle.read(CHUNK)
            if not more:
                break
            data += more
            if len(data) > min(limit, SMALL + CHUNK):
                raise FileChangedError("grows while it is read")
        self._data: bytes | None = data
        self.head = data[:HEAD_SIZE]
        self.size = len(data)
        self.sha256 = self.digest = hashlib.sha256(data).hexdigest()
        if digest_kind in _OTHER:
            self.digest = _OTHER[digest_kind](data).hexdigest()

    def _read_large(self, digest_kind: str | None, limit: int) -> None:
        buffer = _buffer()
        _buffers.owner = None
        sha256 = hashlib.sha256()
        other = _OTHER[digest_kind]() if digest_kind in _OTHER else None
        total = 0
        self._data = None
        fed: Iterable[Fed] = ()
        reads = 0
        while number := self._handle.readinto(buffer):
            reads += 1
            if total == 0:
                self.head = bytes(buffer[: min(number, HEAD_SIZE)])
                fed = self._begin(self.head)
            total += number
            if total > limit:
                raise FileTooLargeError("larger than the limit")
            sha256.update(buffer[:number])
            if other is not None:
                other.update(buffer[:number])
            for feed in fed:
                feed.feed(buffer[:number])
        self.size = total
        _buffers.owner = self if reads == 1 else None
        self.sha256 = sha256.hexdigest()
        self.digest = other.hexdigest() if other is not None else self.sha256

    def read(self, limit: int) -> bytes:
        """Return at most `limit` bytes from the start."""
        if self._data is not None:
            return self._data if len(self._data) <= limit else self._data[:limit]
        memory = self.memory()
        if memory is not None:
            return bytes(memory[:limit])
        with self.open() as reader:
            return reader.read(limit)

    def memory(self) -> memoryview | None:
        """Return the whole content where it is in memory: good only until the next file is read."""
        if self._data is not None:
            return memoryview(self._data)
        if getattr(_buffers, "owner", None) is self:  # all of it came with one read, into this thread's buffer
            return _buffer()[: self.size].toreadonly()
        return None

    def open(self) -> BinaryIO:
        """Return a seekable reader over the whole content."""
        return io.BytesIO(self._data) if self._data is not None else self._handle.reader()


def _md5(data: bytes = b"") -> Any:
    return hashlib.md5(data, usedforsecurity=False)


def _sha1(data: bytes = b"") -> Any:
    return hashlib.sha1(data, usedforsecurity=False)


_OTHER: dict[str | None, Callable[..., Any]] = {"md5": _md5, "sha1": _sha1}


def page_buffer(size: int) -> memoryview:
    """Return a buffer of `size` bytes to read into, which no other process shares.

    It begins at a page: into other places, processors of some makers copy four times as slowly for the kernel.
    """
    return memoryview(mmap.mmap(-1, size, access=mmap.ACCESS_COPY))


def _buffer() -> memoryview:
    """Return this thread's own read buffer."""
    buffer: memoryview | None = getattr(_buffers, "view", None)
    if buffer is None:
        buffer = _buffers.view = page_buffer(CHUNK)
    return buffer
