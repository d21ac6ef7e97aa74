"""A zip reader that forgives: any prefix, lying or missing central directories, data descriptors, bad names.

`zipfile` refuses a whole archive for one bad record; here every record stands alone. Structure: APPNOTE 6.3.10.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hinomi.evidence.archives.source import BytesSource, Source, part_of
from hinomi.model.errors import ParseError

END_SIGNATURE = b"PK\x05\x06"
END_SEARCH = 65557  # the end record and the longest comment
MAX_DIRECTORY = 128 << 20
GAP_WORTH_A_SCAN = 256  # bytes no record accounts for; smaller gaps hold padding and data descriptors
MAX_GAP_SCAN = 256 << 20
UNKNOWN_32 = 0xFFFFFFFF
SURVEY_WORK = 16 << 20  # bytes hashed and unpacked between two looks at the clock
LEAST_WINDOW = 256 << 10  # of an archive on disk: holds any class with its header
MOST_WINDOW = 4 << 20

ENCRYPTED = 0x1
DESCRIPTOR = 0x8
UTF8 = 0x800

_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")


class ZipEntry(NamedTuple):
    """One member as a record describes it; sizes and offsets are claims."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int  # of the local header, inside the source
    data: int = -1  # of the data, where only a local header was found; else -1


class Surveyed(NamedTuple):
    """What the compiled core did: members listed, bytes unpacked, and the members left to look at.

    Of a deflated member that is no class by its name, the head comes along where it tells the kind.
    """

    listed: int
    unpacked: int
    open: list[tuple[ZipEntry, bytes | None]]


State = tuple[int, int, int]  # position in the directory, bytes accounted for up to, whether in order
Known = tuple[bytes, memoryview, tuple[bytes, ...], tuple[bytes, ...], bytes]
"""Of `native.classes.survey`: key, known content, words, endings, first bytes that mean something."""
Survey = Callable[..., tuple[State, int, int, list[tuple[int, int]], list[tuple[int, bytes | None]], int]]


class _Window:
    """The part of an archive that the compiled core looks at: all of it where it is in memory."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._size = LEAST_WINDOW
        self.begin = 0
        self.data: bytes | memoryview = source.data if isinstance(source, BytesSource) else b""

    def move(self, begin: int) -> None:
        """Begin at another member: larger where members stand one after the other, small where they are scattered."""
        follows = 0 <= begin - self.begin <= len(self.data)
        self._size = min(2 * self._size, MOST_WINDOW) if follows else LEAST_WINDOW
        self.begin, self.data = begin, b""  # two windows at once would be twice the memory
        self.data = self._source.read_at(begin, self._size)


class ZipReader:
    """The members of one zip. `problem` says what is wrong with its directory; None where it is whole."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problem: str | None = None
        self._data = source.data if isinstance(source, BytesSource) else None
        self._gaps: list[tuple[int, int]] = []
        self._ordered = True
        self._base = 0
        self._directory = b""
        self._directory_at = source.size
        found = _find_directory(source)
        if found is None:
            self.problem = "truncated"
        else:
            self._base, self._directory_at, self._directory = found
        self._begin: State = (0, self._base, True)
        self._window: _Window | None = None

    def entries(self) -> Iterator[ZipEntry]:
        """Yield the members of the directory, or of the local headers where there is no directory."""
        return self._listed(*self._begin) if self._directory else self._scan(0, self.source.size)

    def names(self) -> Iterator[bytes]:
        """Yield the members' names again, without touching their data."""
        self._restart()
        return (entry.name for entry in self.entries())

    def survey(self, core: Survey, most: int, known: Known) -> Surveyed | None:
        """Let the compiled core list up to `most` members; None where the rest is for `entries` to yield."""
        if not self._directory:
            return None
        window = self._window = self._window or _Window(self.source)
        for _ in range(2):
            place = window.data, window.begin, self.source.size
            self._begin, listed, unpacked, gaps, found, beyond = core(
                *place, self._directory, self._base, self._begin, most, SURVEY_WORK, *known
            )
            self._gaps += gaps
            if listed:
                return Surveyed(listed, unpacked, [(self._record(at), head) for at, head in found])
            if beyond < 0:
                break
            window.move(beyond)
        return None

    def _restart(self) -> None:
        self._begin, self._gaps = (0, self._base, True), []

    def _record(self, position: int) -> ZipEntry:
        """Return the member of a record whose sizes have 32 bits."""
        record = _CENTRAL.unpack_from(self._directory, position)
        name = self._directory[position + 46 : position + 46 + record[10]]
        return ZipEntry(name, record[3], record[4], record[7], record[8], record[9], record[16] + self._base)

    def _listed(self, position: int, covered: int, ordered: int) -> Iterator[ZipEntry]:
        directory, base, gaps = self._directory, self._base, self._gaps
        unpack, size, new = _CENTRAL.unpack_from, _CENTRAL.size, ZipEntry._make
        last = len(directory) - size
        while position <= last:
            record = unpack(directory, position)
            if record[0] != b"PK\x01\x02":
                self.problem = "damaged"
                break
            start = position + size
            end = start + record[10]
            packed, plain, offset = record[8], record[9], record[16]
            if packed == UNKNOWN_32 or plain == UNKNOWN_32 or offset == UNKNOWN_32:
                packed, plain, offset = _zip64(directory[end : end + record[11]], packed, plain, offset)
            offset += base
            if not 0 <= offset - covered <= GAP_WORTH_A_SCAN:
                gaps.append((covered, offset))
                ordered = ordered and offset >= covered
            covered = offset + 30 + record[10] + packed
            yield new((directory[start:end], record[3], record[4], record[7], packed, plain, offset, -1))
            position = end + record[11] + record[12]
        gaps.append((covered, self._directory_at))
        self._ordered = bool(ordered)

    def hidden(self) -> Iterator[ZipEntry]:
        """Yield members that stand in the file but not in the directory (a directory may lie). Call after `entries`."""
        if not self._directory:
            return
        for start, end in self._gaps if self._ordered else self._sorted_gaps():
            if end - start > GAP_WORTH_A_SCAN:
                yield from self._scan(start, end)

    def _sorted_gaps(self) -> list[tuple[int, int]]:
        self._restart()
        covered, gaps = self._base, []
        spans = sorted((e.offset, e.offset + 30 + len(e.name) + e.packed) for e in self.entries())
        for offset, end in spans:
            gaps.append((covered, offset))
            covered = max(covered, end)
        return [*gaps, (covered, self._directory_at)]

    def raw(self, entry: ZipEntry) -> bytes:
        """Return a small member's packed bytes."""
        data, offset = self._data, entry.offset
        if data is None or entry.data >= 0:
            return self.source.read_at(self.locate(entry), entry.packed)
        if bytes(data[offset : offset + 4]) != b"PK\x03\x04" or offset + 30 > len(data):
            raise ParseError("archive.local-header", cause="no local header")
        start = (
            offset + 30 + data[offset + 26] + (data[offset + 27] << 8) + data[offset + 28] + (data[offset + 29] << 8)
        )
        return bytes(data[start : start + entry.packed])

    def locate(self, entry: ZipEntry) -> int:
        """Return where a member's data begins; `ParseError` where its local header is not there."""
        if entry.data >= 0:
            return entry.data
        header = self.source.read_at(entry.offset, 30)
        if len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise ParseError("archive.local-header", cause="no local header")
        return entry.offset + 30 + header[26] + (header[27] << 8) + header[28] + (header[29] << 8)

    def local(self, entry: ZipEntry) -> ZipEntry | None:
        """Return the member as its own local header describes it, where that contradicts the directory."""
        header = self.source.read_at(entry.offset, 30)
        if entry.data >= 0 or len(header) < 30:
            return None
        record = _LOCAL.unpack(header)
        agrees = (record[3], record[7]) == (entry.method, entry.packed)
        if agrees or record[2] & DESCRIPTOR or UNKNOWN_32 in record[7:9]:
            return None
        start = entry.offset + 30 + record[9] + record[10]
        return entry._replace(flags=record[2], method=record[3], packed=record[7], size=record[8], data=start)

    def _scan(self, start: int, end: int) -> Iterator[ZipEntry]:
        """Yield members by their local headers; the data of one is skipped where its size is told."""
        position = start
        while (found := _search(self.source, b"PK\x03\x04", position, end)) is not None:
            header = self.source.read_at(found, 30 + 65535 * 2)
            if len(header) < 30:
                return
            record = _LOCAL.unpack_from(header)
            if record[1] > 100 or record[3] > 99 or not record[9]:
                position = found + 4
                continue
            data = found + 30 + record[9] + record[10]
            packed, size = _zip64_local(header, record)
            if record[2] & DESCRIPTOR and not packed:
                packed = self._until_next(data, end) - data
            yield ZipEntry(header[30 : 30 + record[9]], record[2], record[3], record[6], packed, size, found, data)
            position = max(found + 4, data + packed if data + packed <= end else data)

    def _until_next(self, data: int, end: int) -> int:
        descriptor = _search(self.source, b"PK\x07\x08", data, end)
        following = _search(self.source, b"PK\x03\x04", data, end)
        central = _search(self.source, b"PK\x01\x02", data, end)
        return min(p for p in (descriptor, following, central, end) if p is not None)


def _zip64(extra: bytes, packed: int, plain: int, offset: int) -> tuple[int, int, int]:
    """Return (packed, plain, offset) with the values of the zip64 extra field where the record says 'unknown'."""
    values = [plain, packed, offset]
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, position)
        if tag == 1:
            body = extra[position + 4 : position + 4 + length]
            for index, value in enumerate(values):
                if value == UNKNOWN_32 and len(body) >= 8:
                    values[index] = int.from_bytes(body[:8], "little")
                    body = body[8:]
            break
        position += 4 + length
    return values[1], values[0], values[2]


def _zip64_local(header: bytes, record: tuple[int, ...]) -> tuple[int, int]:
    packed, plain = record[7], record[8]
    if UNKNOWN_32 in (packed, plain):
        extra = header[30 + record[9] : 30 + record[9] + record[10]]
        packed, plain, _ = _zip64(extra, packed, plain, 0)
    return packed, plain


def find_end(tail: bytes) -> int:
    """Return where in `tail` (the end of a file) a plausible end record stands, or -1. The last wins, as in Java."""
    position = len(tail)
    while (position := tail.rfind(END_SIGNATURE, 0, position)) >= 0:
        if position + 22 <= len(tail):
            end = _END.unpack_from(tail, position)
            if end[1] in (0, 0xFFFF) and end[3] <= end[4] and (end[4] or end[5]):
                return position
    return -1


def ends_with(tail: bytes, position: int) -> bool:
    """Whether the end record at `position` and its comment end the file, but for zeros that fill a block."""
    comment = tail[position + 20] + (tail[position + 21] << 8)
    return not tail[position + 22 + comment :].strip(b"\0")


def _find_directory(source: Source) -> tuple[int, int, bytes] | None:
    """Return (what to add to offsets, where the directory begins, its bytes); None where there is no usable one."""
    tail_at = max(0, source.size - END_SEARCH)
    tail = source.read_at(tail_at, END_SEARCH)
    found = find_end(tail)
    if found < 0:
        return None
    end = _END.unpack_from(tail, found)
    end_at, size, offset = tail_at + found, end[5], end[6]
    if UNKNOWN_32 in (size, offset) or end[4] == 0xFFFF:
        end_at, size, offset = _end64(source, end_at) or (end_at, size, offset)
    start = _directory_start(source, end_at, size, offset)
    if start is None or not 0 < size <= MAX_DIRECTORY:
        return None
    return start - offset, start, source.read_at(start, min(size, end_at - start) or size)


def _directory_start(source: Source, end_at: int, size: int, offset: int) -> int | None:
    """The directory stands right before the end record (a prefix moves it) or, failing that, where the record says."""
    for start in (end_at - size, offset):
        if start >= 0 and source.read_at(start, 4) == b"PK\x01\x02":
            return start
    return None


def _end64(source: Source, end_at: int) -> tuple[int, int, int] | None:
    locator = source.read_at(end_at - 20, 20)
    if locator[:4] != b"PK\x06\x07":
        return None
    claimed = int.from_bytes(locator[8:16], "little")
    for position in (claimed, end_at - 20 - 56):
        record = source.read_at(position, 56)
        if len(record) == 56 and record[:4] == b"PK\x06\x06":
            values = _END64.unpack(record)
            return position, values[8], values[9]
    return None


def _search(source: Source, needle: bytes, start: int, end: int) -> int | None:
    """Return where `needle` next stands in the source between the offsets; at most 256 MiB are searched."""
    end = min(end, start + MAX_GAP_SCAN)
    while start < end:
        block = source.read_at(start, min(1 << 20, end - start))
        found = block.find(needle)
        if found >= 0:
            return start + found
        if len(block) < len(needle):
            return None
        start += len(block) - len(needle) + 1
    return None


def slice_of(reader: ZipReader, entry: ZipEntry) -> Source:
    """Return a member's packed bytes as a source of its own."""
    return part_of(reader.source, reader.locate(entry), entry.packed)


def name_text(name: bytes) -> str:
    """Decode a member's name: UTF-8, else the code pages that zip tools used (932 in Japan, 437)."""
    for decode in _DECODERS:
        try:
            return decode(name)
        except UnicodeDecodeError:
            continue
    return name.decode("latin-1")


_DECODERS: tuple[Callable[[bytes], str], ...] = (
    lambda name: name.decode("utf-8"),
    lambda name: name.decode("cp932"),
    lambda name: name.decode("cp437"),
)
