"""RAR 4 and 5: every member is told; stored ones are read in place, packed ones by the system's libarchive.

Formats: RARLAB's technical notes on RAR 4 (technote.txt) and RAR 5.0 archives.
"""

from __future__ import annotations

import calendar
import stat
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hinomi.evidence.archives.libarchive import Unpacker
from hinomi.evidence.archives.members import Member, Members
from hinomi.evidence.archives.source import Source, Stream, stream_of
from hinomi.evidence.archives.streams import UnsupportedError
from hinomi.model.errors import ParseError

MARK_4, MARK_5 = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"
MAX_HEADER = 2 << 20  # as RAR 5 allows; RAR 4 has 64 KiB
STORED = 0


class RarEntry(NamedTuple):
    """One member as its header tells it. `method` 0 is stored, 1 to 5 packed; `mtime` is a DOS time in RAR 4."""

    name: bytes
    size: int
    packed: int
    data: int  # where the packed bytes begin
    method: int
    mtime: int | None
    is_folder: bool = False
    encrypted: bool = False
    split: bool = False  # goes on in another volume
    attributes: int = 0
    unix: bool = False  # made on Unix: attributes are a st_mode
    version: int = 5
    link: bytes | None = None
    symbolic: bool = False


def read_rar(source: Source) -> Members:
    """Yield the files; the content of those that cannot be read raises when it is asked for."""
    unpacker = Unpacker(source)
    for number, entry in enumerate(rar_entries(source)):
        if not entry.is_folder:
            stream = content_of(source, entry, lambda at=number: unpacker.content(at))  # type: ignore[misc]
            yield Member(entry.name, entry.size, stream, _mode(entry), _time(entry), entry.link)


def content_of(source: Source, entry: RarEntry, unpack: Callable[[], Iterator[bytes]]) -> Stream:
    """Return a member's content; reading it raises `ParseError` where it is encrypted, split or cannot be unpacked."""
    why = _obstacle(entry)
    if why is not None:
        return Stream(_closed(why))
    if entry.method != STORED:
        return Stream(unpack())
    return stream_of(source, entry.data, min(entry.size, entry.packed))


def _mode(entry: RarEntry) -> int | None:
    if entry.symbolic:
        return stat.S_IFLNK | 0o777
    return entry.attributes & 0xFFFF if entry.unix and entry.attributes else None


def _time(entry: RarEntry) -> float | None:
    """Return when a member was changed; RAR 4 tells local time of an unknown place, read as UTC."""
    if entry.mtime is None or entry.version == 5:
        return entry.mtime
    date, clock = entry.mtime >> 16, entry.mtime & 0xFFFF
    parts = (1980 + (date >> 9), date >> 5 & 15, date & 31, clock >> 11, clock >> 5 & 63, (clock & 31) * 2)
    return float(calendar.timegm((*parts, 0, 0, 0))) if 1 <= parts[1] <= 12 and parts[2] else None


def _obstacle(entry: RarEntry) -> ParseError | None:
    if entry.encrypted:
        return ParseError("archive.encrypted", cause="RAR member")
    if entry.split:
        return UnsupportedError("archive.unsupported", cause="RAR volume")
    return None


def _closed(error: ParseError) -> Iterator[bytes]:
    for why in (error,):
        raise why
    yield b""


def rar_entries(source: Source) -> Iterator[RarEntry]:
    """Yield every member, folders too; `ParseError` where a header is damaged, cut or encrypted."""
    start = source.read_at(0, 8)
    if start == MARK_5:
        return _entries(source, 8, _block_5)
    if start.startswith(MARK_4):
        return _entries(source, 7, _block_4)
    raise ParseError("archive.damaged", cause="RAR mark")


class _Block(NamedTuple):
    size: int  # of the header
    data: int  # bytes that follow it
    entry: RarEntry | None
    last: bool


def _entries(source: Source, position: int, read: Callable[[Source, int], _Block]) -> Iterator[RarEntry]:
    while position < source.size:
        block = read(source, position)
        if block.entry is not None:
            yield block.entry
        position += block.size + block.data
        if block.last:
            return
    raise ParseError("archive.truncated", cause="RAR has no end")


# RAR 4

_ARCHIVE, _FILE, _END = 0x73, 0x74, 0x7B
_HAS_DATA = 0x8000
_HEADERS_ENCRYPTED = 0x80


def _block_4(source: Source, position: int) -> _Block:
    head = source.read_at(position, 7)
    size = _number(head, 5, 2)
    if len(head) < 7 or size < 7:
        raise ParseError("archive.truncated" if len(head) < 7 else "archive.damaged", cause="RAR header")
    kind, flags = head[2], _number(head, 3, 2)
    body = _whole(source, position, size)
    covered = body[2:13] if kind == _ARCHIVE else body[2:]  # its checksum leaves out a comment, which follows
    if zlib.crc32(covered) & 0xFFFF != _number(head, 0, 2):
        raise ParseError("archive.damaged", cause="RAR header checksum")
    if kind == _ARCHIVE and flags & _HEADERS_ENCRYPTED:
        raise ParseError("archive.encrypted", cause="RAR headers")
    if kind == _FILE:
        entry = _file_4(body, flags, position + size)
        return _Block(size, entry.packed, entry, False)
    following = _number(body, 7, 4) if flags & _HAS_DATA or kind == 0x7A else 0
    return _Block(size, following, None, kind == _END)


def _file_4(body: bytes, flags: int, data: int) -> RarEntry:
    if len(body) < 32:
        raise ParseError("archive.damaged", cause="RAR file header")
    packed, size, length, at = _number(body, 7, 4), _number(body, 11, 4), _number(body, 26, 2), 32
    if flags & 0x100:
        packed, size, at = packed | _number(body, 32, 4) << 32, size | _number(body, 36, 4) << 32, 40
    name = body[at : at + length]
    return RarEntry(
        _name_4(name) if flags & 0x200 else name.replace(b"\\", b"/"), size, packed, data, max(0, body[25] - 0x30),
        _number(body, 20, 4), flags & 0xE0 == 0xE0, bool(flags & 4), bool(flags & 3),
        _number(body, 28, 4), body[15] == 3, 4,
    )  # fmt: skip


def _name_4(name: bytes) -> bytes:
    """Return a name as UTF-8: its plain form, a zero, and what turns that into Unicode (unrar's encname.cpp)."""
    plain, mark, packed = name.partition(b"\0")
    if not mark:
        return name.replace(b"\\", b"/")
    letters: list[int] = []
    take = iter(packed)
    high = next(take, 0) << 8
    bits, flags = 0, 0
    while len(letters) < len(name):
        if bits == 0:
            flags, bits = next(take, -1), 8
        bits -= 2
        value = next(take, -1)
        if flags < 0 or value < 0:
            break
        _letters(flags >> bits & 3, value, high, plain, take, letters)
    text = b"".join((letter & 0xFFFF).to_bytes(2, "little") for letter in letters)
    return text.decode("utf-16-le", "replace").replace("\\", "/").encode()


def _letters(kind: int, value: int, high: int, plain: bytes, take: Iterator[int], letters: list[int]) -> None:
    if kind < 2:
        letters.append(value | (high if kind else 0))
    elif kind == 2:
        letters.append(value | next(take, 0) << 8)
    else:
        shift, upper = (next(take, 0), high) if value & 0x80 else (0, 0)
        begin = len(letters)
        copied = plain[begin : begin + (value & 0x7F) + 2]
        letters.extend((letter + shift & 0xFF) | upper for letter in copied)


# RAR 5

_MAIN_5, _FILE_5, _CRYPT_5, _END_5 = 1, 2, 4, 5
_CRYPT_RECORD, _TIME_RECORD, _LINK_RECORD = 1, 3, 5
_SYMBOLIC = (1, 2, 3)  # of Unix, of Windows, a junction; the others are hard links and copies
EPOCH = 11_644_473_600  # seconds from 1601 to 1970


class _Numbers:
    """Reads the numbers of variable length of one header."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def next(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            if self.position >= len(self.data):
                raise ParseError("archive.damaged", cause="RAR header ends early")
            byte = self.data[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
        raise ParseError("archive.damaged", cause="RAR number")

    def take(self, length: int) -> bytes:
        found = self.data[self.position : self.position + length]
        self.position += length
        return found


def _block_5(source: Source, position: int) -> _Block:
    head = source.read_at(position, 14)
    if len(head) < 7:
        raise ParseError("archive.truncated", cause="RAR header")
    size = _Numbers(head, 4)
    length = size.next()
    whole = size.position + length
    body = _whole(source, position, whole)
    if zlib.crc32(body[4:]) != _number(head, 0, 4):
        raise ParseError("archive.damaged", cause="RAR header checksum")
    fields = _Numbers(body, size.position)
    kind, flags = fields.next(), fields.next()
    extra = fields.next() if flags & 1 else 0
    following = fields.next() if flags & 2 else 0
    if kind == _CRYPT_5:
        raise ParseError("archive.encrypted", cause="RAR headers")
    entry = None
    if kind == _FILE_5:
        entry = _file_5(fields, following, position + whole, bool(flags & 0x18))
        entry = _told_further(entry, body[max(0, whole - extra) :] if extra else b"")
    return _Block(whole, following, entry, kind == _END_5)


def _file_5(fields: _Numbers, packed: int, data: int, split: bool) -> RarEntry:
    flags, size = fields.next(), fields.next()
    attributes = fields.next()
    mtime = _number(fields.take(4), 0, 4) if flags & 2 else None
    fields.take(4 if flags & 4 else 0)
    method = fields.next() >> 7 & 7
    unix = fields.next() == 1  # the system it was made on
    name = fields.take(fields.next())
    size = packed if flags & 8 else size
    return RarEntry(
        name, size, packed, data, method, mtime, bool(flags & 1), False, split, attributes, unix
    )  # fmt: skip


def _told_further(entry: RarEntry, extra: bytes) -> RarEntry:
    """Take what a file's extra records say: encryption, a time, a link."""
    position = 0
    while position < len(extra):
        record = _Numbers(extra, position)
        length = record.next()
        end = record.position + length
        kind = record.next() if length else 0
        if kind == _CRYPT_RECORD:
            entry = entry._replace(encrypted=True)
        elif kind == _TIME_RECORD and (flags := record.next()) & 2:
            raw = _number(record.take(4 if flags & 1 else 8), 0, 8)
            entry = entry._replace(mtime=raw if flags & 1 else raw // 10_000_000 - EPOCH)
        elif kind == _LINK_RECORD:
            symbolic = record.next() in _SYMBOLIC
            record.next()  # flags
            entry = entry._replace(link=record.take(record.next()).replace(b"\\", b"/"), symbolic=symbolic)
        position = max(end, position + 1)
    return entry


def _whole(source: Source, position: int, size: int) -> bytes:
    body = source.read_at(position, size) if size <= MAX_HEADER else b""
    if len(body) < size:
        raise ParseError("archive.truncated" if size <= MAX_HEADER else "archive.damaged", cause="RAR header")
    return body


def _number(data: bytes, position: int, length: int) -> int:
    return int.from_bytes(data[position : position + length], "little")
