"""What a file is where its first bytes do not say it: an end record, a descriptor, an archive behind a program."""

from __future__ import annotations

import zlib

from hinomi.evidence.archives import zips
from hinomi.evidence.archives.kinds import FIRSTS, ISO_MAGIC_AT, SNIFF_SIZE, Kind, sniff
from hinomi.evidence.archives.rar import MARK_4, MARK_5
from hinomi.evidence.archives.source import Source, Stream, part_of
from hinomi.evidence.archives.zips import ZipReader

_RUNNABLE = (b"\x7fELF", b"MZ", b"#!", b"@", b":", b"rem", b"REM", b"Rem", b"<#")
_SEVENZIP = b"7z\xbc\xaf\x27\x1c"
OVERLAY_SEARCH = 64 << 10  # bytes behind a program in which an archive begins (7-Zip puts its settings before it)
MAX_SECTIONS = 96  # of a Windows program (PE format specification)


def archive_in(source: Source) -> tuple[Kind, Source] | None:
    """Return what a file is and where that begins: by head, behind a program, by a descriptor or an end record."""
    kind = sniff(source.read_at(0, SNIFF_SIZE))
    if kind is not None:
        return kind, source
    if (behind := self_extracting(source)) is not None:
        return behind
    if source.read_at(ISO_MAGIC_AT, 5) == b"CD001":
        return "iso", source
    return ("zip", source) if has_end_record(source) else None


def kind_ahead(stream: Stream, head: bytes) -> Kind | None:
    """Return what a stream is by its head; an ISO image begins with zeros, so its descriptor is looked for."""
    kind = sniff(head)
    if kind is None and len(head) == SNIFF_SIZE and not head.strip(b"\0"):
        return "iso" if stream.peek(ISO_MAGIC_AT + 5)[ISO_MAGIC_AT:] == b"CD001" else None
    return kind


def has_end_record(source: Source) -> bool:
    """Whether a zip's end record stands near the end and points at a directory.

    Programs and scripts may have more behind it (a signature). Anything else must end with the record and its comment:
    data that only holds a zip somewhere, such as a compiled test with archives as constants, is no archive.
    """
    start = max(0, source.size - zips.END_SEARCH)
    tail = source.read_at(start, zips.END_SEARCH)
    found = zips.find_end(tail)
    if found < 0 or not (source.read_at(0, 4).startswith(_RUNNABLE) or zips.ends_with(tail, found)):
        return False
    return ZipReader(source).problem is None


def is_program(head: bytes) -> bool:
    """Whether content begins like a program or script that may unpack itself; shared libraries are none."""
    if head.startswith(b"\x7fELF"):
        return head[16:18] in (b"\x02\x00", b"\x00\x02") or b"/ld" in head
    if head.startswith(b"MZ"):
        at = int.from_bytes(head[60:64], "little") + 22
        return not (at + 2 <= len(head) and head[at + 1] & 0x20)  # the DLL flag
    return head.startswith((b"#!", b"@echo", b"@ECHO"))


MEANINGFUL = bytes(byte in FIRSTS or byte in b"\x7fM#@" for byte in range(256))
"""For each byte, whether content that begins with it may be an archive (tars excepted), a class or a program."""


def self_extracting(source: Source) -> tuple[Kind, Source] | None:
    """Return the 7z or RAR archive behind a program's own parts; None for anything else."""
    end = _program_end(source)
    if end is None or end >= source.size:
        return None
    behind = source.read_at(end, OVERLAY_SEARCH)
    for mark, kind in _BEHIND:
        found = behind.find(mark)
        if found >= 0 and _begins(kind, behind[found : found + 64]):
            return kind, part_of(source, end + found, source.size - end - found)
    return None


_BEHIND: tuple[tuple[bytes, Kind], ...] = ((_SEVENZIP, "7z"), (MARK_4, "rar"), (MARK_5, "rar"))


def _begins(kind: Kind, head: bytes) -> bool:
    """Whether an archive truly begins here: the first header's checksum holds."""
    if kind == "7z":
        return len(head) >= 32 and zlib.crc32(head[12:32]) == int.from_bytes(head[8:12], "little")
    if head.startswith(MARK_5):
        size = head[12] + 13 if len(head) > 12 and head[12] < 0x80 else 0
        return size > 0 and zlib.crc32(head[12:size]) == int.from_bytes(head[8:12], "little")
    return zlib.crc32(head[9:20]) & 0xFFFF == int.from_bytes(head[7:9], "little")


def _program_end(source: Source) -> int | None:
    """Return where the parts of a program end that its own headers know of; None for what is no program."""
    head = source.read_at(0, 64)
    if head.startswith(b"\x7fELF") and len(head) == 64:
        return _elf_end(source, head)
    return _pe_end(source, head) if head.startswith(b"MZ") and len(head) == 64 else None


def _elf_end(source: Source, head: bytes) -> int:
    """Return the end of the section table and of every segment (System V ABI)."""
    wide, order = head[4] == 2, "big" if head[5] == 2 else "little"

    def number(data: bytes, at: int, length: int) -> int:
        return int.from_bytes(data[at : at + length], order)  # type: ignore[arg-type]  # one of the two

    word = 8 if wide else 4
    segments, sections = (number(head, at, word) for at in ((32, 40) if wide else (28, 32)))
    counts = 54 if wide else 42
    size, count, section_size, section_count = (number(head, counts + 2 * n, 2) for n in range(4))
    table = source.read_at(segments, size * min(count, MAX_SECTIONS))
    ends = [sections + section_size * section_count]
    for at in range(0, len(table) - 31, max(size, 32)):
        offset, length = (number(table, at + place, word) for place in ((8, 32) if wide else (4, 16)))
        ends.append(offset + length)
    return max(ends)


def _pe_end(source: Source, head: bytes) -> int | None:
    """Return the end of the last section's data (Microsoft PE and COFF specification)."""
    start = int.from_bytes(head[60:64], "little")
    coff = source.read_at(start, 24)
    if len(coff) < 24 or coff[:4] != b"PE\0\0":
        return None
    count, optional = int.from_bytes(coff[6:8], "little"), int.from_bytes(coff[20:22], "little")
    table = source.read_at(start + 24 + optional, 40 * min(count, MAX_SECTIONS))
    ends = [start + 24 + optional + len(table)]
    for at in range(0, len(table) - 39, 40):
        size, offset = (int.from_bytes(table[at + n : at + n + 4], "little") for n in (16, 20))
        ends.append(size + offset)
    return max(ends)
