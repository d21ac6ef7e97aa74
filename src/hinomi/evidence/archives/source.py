"""Bytes to read from: a source is read at any offset, a stream only forwards. Neither trusts a size it was told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Protocol

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.scratch import Scratch, ScratchError
from hinomi.model.errors import ParseError

IN_MEMORY = 12 << 20  # a nested archive above this lies in an unlinked temporary file
MAX_SPOOL = 1 << 30  # ... and above this it is not looked at
CHUNK = 1 << 16
WINDOW = 1 << 20


class Source(Protocol):
    """Random access to `size` bytes."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return at most `length` bytes from `offset`; fewer at the end, none outside."""


class BytesSource:
    """Bytes in memory; its parts are views of the same memory."""

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = memoryview(data).toreadonly()
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return a copy of a slice."""
        return bytes(self.data[offset : offset + length]) if offset >= 0 and length > 0 else b""


class FileSource:
    """A seekable file, read through one window so that neighbouring small reads cost no system call."""

    def __init__(self, file: IO[bytes], size: int | None = None, window: int = WINDOW) -> None:
        self._file = file
        self._wide = window
        self.size = file.seek(0, 2) if size is None else size
        self._start = 0
        self._window = b""

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes from the window, moving it where needed; a failing read is a `ParseError`."""
        if offset < 0 or length <= 0 or offset >= self.size:
            return b""
        inside = offset - self._start
        if inside >= 0 and inside + length <= len(self._window):
            return self._window[inside : inside + length]
        data = self._read(offset, max(length, self._wide))
        if length <= self._wide:
            self._start, self._window = offset, data
        return data[:length]

    def _read(self, offset: int, length: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(length)
        except (OSError, ValueError) as error:
            raise ParseError("archive.unreadable", cause=str(error)) from error


class SliceSource:
    """A part of another source."""

    def __init__(self, source: Source, offset: int, size: int) -> None:
        self._source = source
        self._offset = offset
        self.size = max(0, min(size, source.size - offset))

    def read_at(self, offset: int, length: int) -> bytes:
        """Read inside the part only."""
        if offset < 0:
            return b""
        return self._source.read_at(self._offset + offset, min(length, self.size - offset))


def part_of(source: Source, offset: int, size: int) -> Source:
    """Return a part of a source, cut at its end; nothing is copied."""
    if isinstance(source, BytesSource):
        start = max(0, offset)
        return BytesSource(source.data[start : start + max(0, size)])
    return SliceSource(source, offset, size)


def in_memory(source: Source, most: int) -> Source:
    """Return the source with its bytes in memory where there are at most `most` of them."""
    if isinstance(source, BytesSource) or source.size > most:
        return source
    return BytesSource(source.read_at(0, source.size))


def open_source(file: IO[bytes]) -> Source:
    """Return a source over a seekable file: whole in memory where small, windowed where large."""
    source = FileSource(file)
    if source.size <= IN_MEMORY:
        return BytesSource(source.read_at(0, source.size))
    return source


class Stream:
    """Forward reading over chunks, with a look ahead. Chunks are made on demand, so nothing unread costs anything."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = b""
        self.position = 0

    def peek(self, length: int) -> bytes:
        """Return the next `length` bytes (fewer at the end) without consuming them."""
        if len(self._buffer) < length:
            parts, have = [self._buffer], len(self._buffer)
            while have < length:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                parts.append(chunk)
                have += len(chunk)
            self._buffer = b"".join(parts)
        return self._buffer[:length]

    def read(self, length: int) -> bytes:
        """Return and consume at most `length` bytes."""
        data = self.peek(length)
        self._buffer = self._buffer[len(data) :]
        self.position += len(data)
        return data

    def unread(self, data: bytes) -> None:
        """Put bytes back in front."""
        self._buffer = data + self._buffer
        self.position -= len(data)

    def skip(self, length: int) -> int:
        """Consume `length` bytes; return how many there were."""
        left = length
        while left > 0:
            got = len(self.read(min(left, CHUNK)))
            if not got:
                break
            left -= got
        return length - left

    def chunks(self, limit: int | None = None) -> Iterator[bytes]:
        """Yield what is left, at most `limit` bytes, in the pieces it comes in."""
        left = limit
        while left is None or left > 0:
            data = self._piece()
            if not data:
                return
            if left is not None:
                data, self._buffer = data[:left], data[left:]
                left -= len(data)
            self.position += len(data)
            yield data

    def _piece(self) -> bytes:
        """Return what is held, or the next piece that is not empty; nothing at the end."""
        data, self._buffer = self._buffer, b""
        while not data:
            following = next(self._chunks, None)
            if following is None:
                return b""
            data = following
        return data


class SourceStream(Stream):
    """A stream over a part of a source: skipping costs nothing."""

    def __init__(self, source: Source, offset: int, end: int) -> None:
        self._source = source
        self._next = offset
        self._end = end
        super().__init__(self._pieces())

    def rest(self, size: int | None = None) -> Source:
        """Return the next `size` bytes (all by default) as a source in place, without consuming them."""
        start = self._next - len(self._buffer)
        end = self._end if size is None else min(self._end, start + size)
        return part_of(self._source, start, end - start)

    def _pieces(self) -> Iterator[bytes]:
        while self._next < self._end:
            data = self._source.read_at(self._next, min(CHUNK, self._end - self._next))
            if not data:
                return
            self._next += len(data)
            yield data

    def skip(self, length: int) -> int:
        """Move on without reading."""
        buffered = min(length, len(self._buffer))
        self._buffer = self._buffer[buffered:]
        moved = min(length - buffered, max(0, self._end - self._next))
        self._next += moved
        self.position += buffered + moved
        return buffered + moved


def stream_of(source: Source, offset: int = 0, size: int | None = None) -> Stream:
    """Return a stream over (a part of) a source."""
    return SourceStream(source, offset, source.size if size is None else min(source.size, offset + size))


def spool(stream: Stream) -> tuple[Source, Scratch | None]:
    """Make a stream seekable: in memory up to `IN_MEMORY`, then in a scratch file (to be closed by the caller).

    What stands in a source already is taken from there. Raises `BudgetError` above 1 GiB and where too many such
    members are nested.
    """
    if isinstance(stream, SourceStream):
        return in_memory(stream.rest(), IN_MEMORY), None
    parts: list[bytes] = []
    size = 0
    scratch: Scratch | None = None
    try:
        for chunk in stream.chunks():
            size += len(chunk)
            if size > MAX_SPOOL:
                raise BudgetError("bytes of one member")
            if scratch is None and size > IN_MEMORY:
                scratch = Scratch()
                scratch.file.writelines(parts)
                parts.clear()
            parts.append(chunk) if scratch is None else scratch.file.write(chunk)
    except BaseException as error:
        if scratch is not None:
            scratch.close()
        if isinstance(error, ScratchError):
            raise BudgetError("members to be unpacked at once") from error
        if isinstance(error, OSError):
            raise ParseError("archive.spool", cause=str(error)) from error
        raise
    if scratch is None:
        return BytesSource(b"".join(parts)), None
    return FileSource(scratch.file, size), scratch
