"""Expert Witness acquisitions (E01, E02, ...). Format: J. Metz, "Expert Witness Compression Format" (libewf).

Checksums of sections are not verified: the tables are checked against the file, and every chunk is bounded.
"""

from __future__ import annotations

import re
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.beside import Beside
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

SIGNATURE = b"EVF\x09\x0d\x0a\xff\x00"
MAX_SEGMENTS = 14_971  # E01 to E99, EAA to ZZZ
MAX_SECTIONS = 100_000
MAX_CHUNK = 16 << 20
MAX_CHUNKS = 1 << 27
MAX_CACHED = 64
_COMPRESSED = 1 << 31
_NAME = re.compile(rb"^(.*\.)([EeSs])01$", re.S)


class _Section(NamedTuple):
    kind: bytes
    at: int  # of its data
    start: int
    following: int


class _Table(NamedTuple):
    """A row of chunks: where each begins is in a table of the segment; the last ends at `end`."""

    first: int
    chunks: int
    segment: Source
    entries_at: int
    base: int
    end: int


class EwfSource:
    """The disk of an acquisition with all its segments."""

    def __init__(self, source: Source, beside: Beside) -> None:
        """Read every segment's sections; `ParseError` where one is missing or damaged."""
        self._tables: list[_Table] = []
        self._chunks = self._chunk = self.size = 0
        self._finished = False
        self._pages: Kept[bytes] = Kept(256)
        self._plain: Kept[bytes] = Kept(MAX_CACHED)
        for number, segment in _segments(source, beside):
            self._read(segment, number)
            if self._finished:
                break
        if not self._chunk:
            raise ParseError("image.damaged", cause="EWF without volume section")
        if self._chunks * self._chunk < self.size:
            cause = "segments are missing" if not self._finished else "chunks are missing"
            raise ParseError("image.incomplete", cause=f"EWF: {cause} ({self._chunks} chunks found)")
        self._starts = [table.first for table in self._tables]

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes, chunk by chunk."""
        return read_in_steps(self.size, self._chunk, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        return self._plain.get(index, lambda: self._unpack(index))[inside : inside + number]

    def _unpack(self, index: int) -> bytes:
        table = self._tables[bisect_right(self._starts, index) - 1]
        entry = self._entry(table, index - table.first)
        start = table.base + (entry & ~_COMPRESSED)
        last = index - table.first + 1 == table.chunks
        end = table.end if last else table.base + (self._entry(table, index - table.first + 1) & ~_COMPRESSED)
        if not start < end <= start + 2 * MAX_CHUNK:
            raise ParseError("image.damaged", cause=f"EWF chunk {index}")
        raw = table.segment.read_at(start, end - start)
        if not entry & _COMPRESSED:
            return raw[: self._chunk]
        try:
            return zlib.decompressobj().decompress(raw, self._chunk)
        except zlib.error as error:
            raise ParseError("image.damaged", cause=f"EWF chunk {index}") from error

    def _entry(self, table: _Table, index: int) -> int:
        page = index // 1024
        key = table.first, page
        raw = self._pages.get(key, lambda: table.segment.read_at(table.entries_at + page * 4096, 4096))
        return int.from_bytes(raw[index % 1024 * 4 : index % 1024 * 4 + 4], "little")

    def _read(self, segment: Source, number: int) -> None:
        head = segment.read_at(0, 13)
        if head[:8] != SIGNATURE or int.from_bytes(head[9:11], "little") != number:
            raise ParseError("image.damaged", cause=f"EWF segment {number}")
        end = 0
        for section in _sections(segment):
            if section.kind in (b"volume", b"disk") and not self._chunk:
                self._volume(segment, section)
            elif section.kind == b"sectors":
                end = section.following
            elif section.kind == b"table":
                self._table(segment, section, end or section.start)
            self._finished = section.kind == b"done"

    def _volume(self, segment: Source, section: _Section) -> None:
        raw = segment.read_at(section.at, 24)
        _, count, per, sector, sectors = struct.unpack("<IIIIQ", raw.ljust(24, b"\0"))
        if section.following - section.at < 200:  # the smaller form of SMART has a 32-bit number of sectors
            sectors &= 0xFFFFFFFF
        self._chunk = per * sector
        self.size = sectors * sector
        if not 512 <= self._chunk <= MAX_CHUNK or count > MAX_CHUNKS or self.size > (count + 1) * self._chunk:
            raise ParseError("image.damaged", cause="EWF volume section")

    def _table(self, segment: Source, section: _Section, end: int) -> None:
        raw = segment.read_at(section.at, 24)
        count, base = struct.unpack("<I4xQ", raw.ljust(24, b"\0")[:16])
        if not count:
            return
        if count > MAX_CHUNKS or section.at + 24 + count * 4 > segment.size:
            raise ParseError("image.damaged", cause="EWF table")
        self._tables.append(_Table(self._chunks, count, segment, section.at + 24, base, end))
        self._chunks += count


def _segments(source: Source, beside: Beside) -> Iterator[tuple[int, Source]]:
    yield 1, source
    name = _NAME.match(beside.name)
    for number in range(2, MAX_SEGMENTS if name else 0):
        assert name is not None  # the range is empty otherwise
        segment = beside.open(name[1] + _suffix(number, name[2]))
        if segment is None:
            return
        yield number, segment


def _suffix(number: int, letter: bytes) -> bytes:
    """Return a segment's extension: E01 to E99, then EAA, EAB, ... EZZ, FAA."""
    if number < 100:
        return letter + b"%02d" % number
    first, rest = divmod(number - 100, 26 * 26)
    base = ord("a") if letter.islower() else ord("A")
    return bytes([letter[0] + first, base + rest // 26, base + rest % 26])


def _sections(segment: Source) -> Iterator[_Section]:
    """Yield a segment's sections: each says where the next one is; `done` and `next` are the last."""
    at = 13
    for _ in range(MAX_SECTIONS):
        raw = segment.read_at(at, 76)
        if len(raw) < 76:
            raise ParseError("image.truncated", cause="EWF section")
        kind, following = raw[:16].rstrip(b"\0"), int.from_bytes(raw[16:24], "little")
        yield _Section(kind, at + 76, at, following)
        if kind in (b"done", b"next"):
            return
        if following <= at:
            raise ParseError("image.damaged", cause="EWF section")
        at = following
