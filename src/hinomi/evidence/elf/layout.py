"""The skeleton of an ELF file: header, segments, sections (format: System V gABI, chapters 4 and 5).

Every number in the file is a claim by whoever made it. Tables are bounded in count and size, a table that lies outside
the file is dropped and said in `Layout.problems`, and nothing loops over a number that the file gives.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from hinomi.model.errors import ParseError

Reader = Callable[[int, int], bytes]
"""(offset, size) -> at most `size` bytes of the file; fewer or none outside it."""

MAX_SECTIONS = 20_000  # a kernel built with one section per function stays below
MAX_SEGMENTS = 4_096
MAX_NAMES = 4 << 20
MAX_NOTES = 64 << 10
MAX_INTERPRETER = 4_096

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
SHT_SYMTAB, SHT_STRTAB, SHT_DYNAMIC, SHT_NOTE, SHT_NOBITS, SHT_DYNSYM = 2, 3, 6, 7, 8, 11
PF_X = 1
NT_GNU_BUILD_ID = 3

TYPES = {1: "rel", 2: "exec", 3: "dyn", 4: "core"}
# Processor numbers of the gABI and the Linux kernel's elf-em.h.
MACHINES = {
    0: "EM_NONE", 2: "EM_SPARC", 3: "EM_386", 4: "EM_68K", 7: "EM_860", 8: "EM_MIPS", 10: "EM_MIPS_RS3_LE", 15:
    "EM_PARISC", 18: "EM_SPARC32PLUS", 20: "EM_PPC", 21: "EM_PPC64", 22: "EM_S390", 40: "EM_ARM", 42: "EM_SH", 43:
    "EM_SPARCV9", 50: "EM_IA_64", 62: "EM_X86_64", 76: "EM_CRIS", 83: "EM_AVR", 88: "EM_M32R", 92: "EM_OPENRISC",
    93: "EM_ARC", 94: "EM_XTENSA", 106: "EM_BLACKFIN", 113: "EM_ALTERA_NIOS2", 140: "EM_TI_C6000", 164:
    "EM_HEXAGON", 183: "EM_AARCH64", 188: "EM_TILEPRO", 189: "EM_MICROBLAZE", 190: "EM_CUDA", 191: "EM_TILEGX", 195:
    "EM_ARC_COMPACT2", 224: "EM_AMDGPU", 243: "EM_RISCV", 247: "EM_BPF", 252: "EM_CSKY", 258: "EM_LOONGARCH",
    0x9026: "EM_ALPHA",
}  # fmt: skip


class Segment(NamedTuple):
    """A program header."""

    type: int
    flags: int
    offset: int
    address: int
    size: int


class Section(NamedTuple):
    """A section header; `size` is zero for sections without bytes in the file."""

    name: str
    type: int
    offset: int
    address: int
    size: int
    link: int
    entry_size: int


@dataclass(frozen=True, slots=True)
class Layout:
    """What the headers say, as far as it lies inside the file."""

    bits: int
    order: str  # struct's < or >
    type: str
    machine: str
    size: int
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    tables_end: int
    problems: tuple[str, ...] = field(default=())

    def section(self, name: str) -> Section | None:
        """Return the first section of that name."""
        return next((section for section in self.sections if section.name == name), None)

    def offset_of(self, address: int) -> int | None:
        """Return where in the file the byte at a virtual address lies."""
        for segment in self.segments:
            if segment.type == PT_LOAD and segment.address <= address < segment.address + segment.size:
                return segment.offset + address - segment.address
        return None

    @property
    def end(self) -> int:
        """Where the last segment, section or header table ends; what follows is an overlay."""
        ends = [segment.offset + segment.size for segment in self.segments]
        ends += [section.offset + section.size for section in self.sections]
        return min(self.size, max([self.tables_end, *ends]))


class _Shape(NamedTuple):
    """Where the two classes differ: formats after the byte order, and sizes."""

    header: str
    header_size: int
    segment: str
    segment_size: int
    section: str
    section_size: int


_SHAPES = {
    1: _Shape("HHIIIIIHHHHHH", 52, "IIIIIIII", 32, "IIIIIIIIII", 40),
    2: _Shape("HHIQQQIHHHHHH", 64, "IIQQQQQQ", 56, "IIQQQQIIQQ", 64),
}


class _Header(NamedTuple):
    type: int
    machine: int
    version: int
    entry: int
    segments_at: int
    sections_at: int
    flags: int
    size: int
    segment_size: int
    segment_count: int
    section_size: int
    section_count: int
    names_index: int


def read_layout(read: Reader, size: int) -> Layout:
    """Return the layout of a file of `size` bytes; `ParseError` where not even the ELF header can be read."""
    ident = read(0, 64)
    shape = _SHAPES.get(ident[4]) if len(ident) > 5 else None
    order = {1: "<", 2: ">"}.get(ident[5]) if len(ident) > 5 else None
    if not ident.startswith(b"\x7fELF") or shape is None or order is None:
        raise ParseError("damaged", cause="no valid ELF identification")
    if len(ident) < shape.header_size:
        raise ParseError("truncated", cause="the ELF header is cut")
    header = _Header(*struct.unpack_from(order + shape.header, ident, 16))
    problems: list[str] = []
    segments = _segments(read, order, shape, header, size, problems)
    sections = _sections(read, order, shape, header, size, problems)
    return Layout(
        bits=32 if ident[4] == 1 else 64,
        order=order,
        type=TYPES.get(header.type, f"0x{header.type:04x}"),
        machine=MACHINES.get(header.machine, f"EM_{header.machine}"),
        size=size,
        segments=segments,
        sections=sections,
        tables_end=max(
            shape.header_size,
            header.segments_at + len(segments) * shape.segment_size if segments else 0,
            header.sections_at + len(sections) * shape.section_size if sections else 0,
        ),
        problems=tuple(problems),
    )


def _segments(
    read: Reader, order: str, shape: _Shape, header: _Header, size: int, problems: list[str]
) -> tuple[Segment, ...]:
    count = min(header.segment_count, MAX_SEGMENTS)
    if not header.segments_at or not count:
        return ()
    table = _table(read, header.segments_at, header.segment_size, shape.segment_size, count)
    if table is None:
        problems.append("segment table outside the file")
        return ()
    found = []
    for fields in struct.iter_unpack(order + shape.segment, table):
        if shape.segment_size == 56:
            kind, flags, offset, address, _, length, _, _ = fields
        else:
            kind, offset, address, _, length, _, flags, _ = fields
        if kind == PT_LOAD and offset + length > size:
            problems.append("a segment reaches beyond the file")
        found.append(Segment(kind, flags, offset, address, max(0, min(length, size - offset))))
    return tuple(found)


def _sections(
    read: Reader, order: str, shape: _Shape, header: _Header, size: int, problems: list[str]
) -> tuple[Section, ...]:
    if not header.sections_at:
        return ()
    at, width = header.sections_at, header.section_size
    first = _table(read, at, width, shape.section_size, 1)
    if first is None:
        problems.append("section table outside the file")
        return ()
    zero = struct.unpack(order + shape.section, first)
    count = header.section_count or zero[5]  # more than 65,279: the first header's size holds the number
    names_index = header.names_index if header.names_index != 0xFFFF else zero[6]
    if count > MAX_SECTIONS:
        problems.append("too many sections")
    table = _table(read, at, width, shape.section_size, min(count, MAX_SECTIONS))
    if table is None:
        problems.append("section table outside the file")
        return ()
    raw = list(map(_Raw._make, struct.iter_unpack(order + shape.section, table)))
    names = b""
    if names_index < len(raw):
        names = read(raw[names_index].offset, min(raw[names_index].size, MAX_NAMES))
    return tuple(_section(entry, names, size) for entry in raw)


class _Raw(NamedTuple):
    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


def _section(raw: _Raw, names: bytes, size: int) -> Section:
    stored = 0 if raw.type in (0, SHT_NOBITS) else max(0, min(raw.size, size - raw.offset))
    name = string_at(names, raw.name, 256)
    return Section(name, raw.type, raw.offset, raw.address, stored, raw.link, raw.entry_size)


def _table(read: Reader, at: int, width: int, wanted: int, count: int) -> bytes | None:
    """Return `count` records of `wanted` bytes, taken from records `width` wide; None where they are not there."""
    if width < wanted:
        return None
    table = read(at, width * count)
    if len(table) < width * count:
        return None
    if width == wanted:
        return table
    return b"".join(table[i * width : i * width + wanted] for i in range(count))


def string_at(table: bytes, offset: int, limit: int) -> str:
    """Return the zero-terminated text at `offset`, at most `limit` bytes; empty outside the table."""
    if not 0 <= offset < len(table):
        return ""
    end = table.find(b"\0", offset, offset + limit)
    return table[offset : end if end >= 0 else offset + limit].decode("utf-8", "replace")


def interpreter(layout: Layout, read: Reader) -> str | None:
    """Return the program interpreter."""
    for segment in layout.segments:
        if segment.type == PT_INTERP:
            return string_at(read(segment.offset, min(segment.size, MAX_INTERPRETER)), 0, MAX_INTERPRETER) or None
    return None


def build_id(layout: Layout, read: Reader) -> str | None:
    """Return the GNU build id in hex, from note sections or segments."""
    places = [(s.offset, s.size) for s in layout.sections if s.type == SHT_NOTE][:64]
    places = places or [(s.offset, s.size) for s in layout.segments if s.type == PT_NOTE][:64]
    for offset, size in places:
        found = _gnu_build_id(read(offset, min(size, MAX_NOTES)), layout.order)
        if found is not None:
            return found
    return None


def _gnu_build_id(notes: bytes, order: str) -> str | None:
    at = 0
    while at + 12 <= len(notes):
        name_size, size, kind = struct.unpack_from(order + "III", notes, at)
        start = at + 12 + (name_size + 3 & ~3)
        if kind == NT_GNU_BUILD_ID and notes[at + 12 : at + 16] == b"GNU\0" and 0 < size <= 64:
            return notes[start : start + size].hex() or None
        at = start + (size + 3 & ~3)
    return None


def compiler(layout: Layout, read: Reader) -> str | None:
    """Return the first note in `.comment`."""
    section = layout.section(".comment")
    if section is None:
        return None
    notes = [note for note in read(section.offset, min(section.size, 4_096)).split(b"\0") if note]
    return notes[0][:200].decode("utf-8", "replace") if notes else None
