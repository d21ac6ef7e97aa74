"""Bytes of images: sources that several threads may read at once, and readers over them."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, BinaryIO

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import BytesSource, Source, Stream
from hinomi.evidence.positions import PositionReader
from hinomi.evidence.scratch import Scratch, ScratchError
from hinomi.model.errors import ParseError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

IN_MEMORY = 32 << 20
MAX_READ = 64 << 20
HOLE = 1 << 16  # zeros of this many bytes are left out of the temporary file
FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class DiskSource:
    """A file by its descriptor, read at positions: safe between threads. The descriptor closes with the object."""

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self.size = size
        self._close = os.close

    def __del__(self) -> None:
        self._close(self._fd)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return at most `length` bytes; `ParseError` where the disk refuses."""
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        try:
            return os.pread(self._fd, min(length, self.size - offset), offset)
        except (OSError, OverflowError) as error:
            raise ParseError("image.unreadable", cause=str(error)) from error


def open_disk(path: bytes, flags: int = 0) -> DiskSource:
    """Open a regular file or block device, with more `flags` of `os.open`; `OSError` for anything else."""
    fd = os.open(path, FLAGS | flags)
    mode = os.fstat(fd).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        os.close(fd)
        raise OSError(errno.EINVAL, "neither a file nor a block device")
    return DiskSource(fd, os.lseek(fd, 0, os.SEEK_END))


def read_in_steps(size: int, step: int, offset: int, length: int, piece: Callable[[int, int, int], bytes]) -> bytes:
    """Return a range of `size` bytes that lie in blocks of `step`; at most 64 MiB at once.

    `piece(block, inside, number)` gives `number` bytes of one block from `inside`; fewer are a `ParseError`.
    """
    if offset < 0 or offset >= size:
        return b""
    end = offset + min(length, size - offset, MAX_READ)
    out: list[bytes] = []
    while offset < end:
        block, inside = divmod(offset, step)
        number = min(step - inside, end - offset)
        data = piece(block, inside, number)
        if len(data) < number:
            raise ParseError("image.truncated", cause="a block ends early or lies outside the image")
        out.append(data)
        offset += number
    return out[0] if len(out) == 1 else b"".join(out)


class ZeroSource:
    """Nothing but zeros: a hole."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return zeros."""
        return bytes(max(0, min(length, self.size - offset))) if offset >= 0 else b""


class SourceReader(PositionReader):
    """A seekable file over a source; what the source cannot give is an `OSError`."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source

    def _length(self) -> int:
        return self._source.size

    def _fill(self, buffer: WriteableBuffer, offset: int) -> int:
        view = memoryview(buffer)
        data = read_source(self._source, offset, len(view))
        view[: len(data)] = data
        return len(data)


def reader_over(source: Source) -> BinaryIO:
    """Return a buffered reader with its own position."""
    return io.BufferedReader(SourceReader(source), 1 << 16)


def read_source(source: Source, offset: int, length: int) -> bytes:
    """Read from a source; damage is an `OSError`, as the views' contract wants."""
    try:
        return source.read_at(offset, length)
    except ParseError as error:
        raise OSError(errno.EIO, error.cause or error.code) from error


def spooled(stream: Stream, limit: int, work: str | None = None) -> Source:
    """Make a stream readable at any offset: in memory up to 32 MiB, then in an unlinked, sparse temporary file.

    `work` is the folder for it. Raises `BudgetError` above `limit` bytes or half of what the disk has left.
    """
    parts: list[bytes] = []
    size = 0
    for chunk in stream.chunks():
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            raise BudgetError("bytes")
        if size > IN_MEMORY:
            return _on_disk(parts, stream, size, limit, work)
    return BytesSource(b"".join(parts))


class _ScratchSource(DiskSource):
    """A scratch file's content; the file is given back with the object."""

    def __init__(self, scratch: Scratch, size: int) -> None:
        super().__init__(os.dup(scratch.file.fileno()), size)
        self._scratch = scratch

    def __del__(self) -> None:
        super().__del__()
        self._scratch.close()


def _on_disk(parts: list[bytes], stream: Stream, size: int, limit: int, work: str | None) -> Source:
    try:
        scratch = Scratch(work)
    except ScratchError as error:
        raise BudgetError("members to be unpacked at once") from error
    except OSError as error:
        raise ParseError("image.work-area", cause=str(error)) from error
    try:
        limit = min(limit, size + shutil.disk_usage(work or tempfile.gettempdir()).free // 2)
        for part in parts:
            _put(scratch.file, part)
        parts.clear()
        for chunk in stream.chunks():
            size += len(chunk)
            if size > limit:
                raise BudgetError("bytes")
            _put(scratch.file, chunk)
        scratch.file.truncate(size)
        scratch.file.flush()
        return _ScratchSource(scratch, size)
    except BaseException as error:
        scratch.close()
        if isinstance(error, OSError):
            raise ParseError("image.work-area", cause=str(error)) from error
        raise


def _put(file: IO[bytes], chunk: bytes) -> None:
    if len(chunk) >= HOLE and not chunk.strip(b"\0"):
        file.seek(len(chunk), os.SEEK_CUR)
    else:
        file.write(chunk)
