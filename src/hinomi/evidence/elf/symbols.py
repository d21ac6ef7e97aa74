"""What an ELF file asks of others: needed libraries and imported functions, with or without section headers."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hinomi.evidence.elf.layout import (
    PT_DYNAMIC,
    SHT_DYNAMIC,
    SHT_DYNSYM,
    SHT_SYMTAB,
    Layout,
    Reader,
    Section,
    string_at,
)

MAX_DYNAMIC = 64 << 10
MAX_STRINGS = 8 << 20
MAX_SYMBOLS = 100_000
MAX_IMPORTS = 2_000
MAX_NEEDED = 500
MAX_NAME = 512

DT_NULL, DT_NEEDED, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ = 0, 1, 4, 5, 6, 10


@dataclass(frozen=True, slots=True)
class Symbols:
    """What a file imports."""

    needed: tuple[str, ...]
    imports: tuple[str, ...]


def is_static(layout: Layout) -> bool:
    """Return whether there is no dynamic section."""
    return not any(s.type == PT_DYNAMIC for s in layout.segments) and not any(
        s.type == SHT_DYNAMIC for s in layout.sections
    )


def is_stripped(layout: Layout) -> bool:
    """Return whether there is no symbol table."""
    return not any(section.type == SHT_SYMTAB for section in layout.sections)


def read_symbols(layout: Layout, read: Reader) -> Symbols:
    """Return needed libraries and imported functions (for kernel modules: the undefined symbols)."""
    dynamic = _dynamic(layout, read)
    strings = _strings(layout, read, dynamic)
    needed = (string_at(strings, value, MAX_NAME) for tag, value in dynamic if tag == DT_NEEDED)
    libraries = tuple(name for name in needed if name)[:MAX_NEEDED]
    table = _symbol_table(layout, read, dynamic)
    if table is None and layout.type == "rel":
        table, strings = _of_module(layout, read)
    return Symbols(libraries, _imports(layout, table or b"", strings))


def _dynamic(layout: Layout, read: Reader) -> list[tuple[int, int]]:
    """Return the (tag, value) pairs of the dynamic section."""
    place = next(((s.offset, s.size) for s in layout.segments if s.type == PT_DYNAMIC), None)
    place = place or next(((s.offset, s.size) for s in layout.sections if s.type == SHT_DYNAMIC), None)
    if place is None:
        return []
    pair = struct.Struct(layout.order + ("II" if layout.bits == 32 else "QQ"))
    data = read(place[0], min(place[1], MAX_DYNAMIC))
    pairs = []
    for tag, value in pair.iter_unpack(data[: len(data) // pair.size * pair.size]):
        if tag == DT_NULL:
            break
        pairs.append((tag, value))
    return pairs


def _strings(layout: Layout, read: Reader, dynamic: list[tuple[int, int]]) -> bytes:
    tags = dict(dynamic)
    offset = layout.offset_of(tags.get(DT_STRTAB, -1))
    if offset is None:
        return b""
    return read(offset, min(tags.get(DT_STRSZ, 0), MAX_STRINGS))


def _symbol_table(layout: Layout, read: Reader, dynamic: list[tuple[int, int]]) -> bytes | None:
    section = next((s for s in layout.sections if s.type == SHT_DYNSYM), None)
    if section is not None:
        return _symbols_of(layout, read, section)
    tags = dict(dynamic)
    offset = layout.offset_of(tags.get(DT_SYMTAB, -1))
    if offset is None:
        return None
    return read(offset, min(_count(layout, read, tags), MAX_SYMBOLS) * _width(layout))


def _count(layout: Layout, read: Reader, tags: dict[int, int]) -> int:
    """How many dynamic symbols: DT_HASH says; without one the string table usually begins where they end."""
    hashes = layout.offset_of(tags.get(DT_HASH, -1))
    if hashes is not None:
        words = read(hashes, 8)
        if len(words) == 8:
            return int(struct.unpack(layout.order + "II", words)[1])
    between = tags.get(DT_STRTAB, 0) - tags.get(DT_SYMTAB, 0)
    return between // _width(layout) if between > 0 else 0


def _of_module(layout: Layout, read: Reader) -> tuple[bytes, bytes]:
    section = next((s for s in layout.sections if s.type == SHT_SYMTAB), None)
    if section is None or section.link >= len(layout.sections):
        return b"", b""
    names = layout.sections[section.link]
    return _symbols_of(layout, read, section), read(names.offset, min(names.size, MAX_STRINGS))


def _symbols_of(layout: Layout, read: Reader, section: Section) -> bytes:
    return read(section.offset, min(section.size, MAX_SYMBOLS * _width(layout)))


def _width(layout: Layout) -> int:
    return 16 if layout.bits == 32 else 24


def _imports(layout: Layout, table: bytes, strings: bytes) -> tuple[str, ...]:
    """Return the names of undefined functions; of undefined symbols of any type in relocatable files."""
    width = _width(layout)
    entry = struct.Struct(layout.order + ("I8xBxH" if layout.bits == 32 else "IBxH16x"))
    untyped = layout.type == "rel"
    names: dict[str, None] = {}
    for name, info, index in entry.iter_unpack(table[: len(table) // width * width]):
        if index == 0 and name and (info & 0xF in _FUNCTIONS or untyped):
            end = strings.find(0, name, name + MAX_NAME)  # as `string_at`, without its cost for each of many
            text = strings[name : end if end >= 0 else name + MAX_NAME]
            if text:
                names[text.decode("utf-8", "replace")] = None
                if len(names) >= MAX_IMPORTS:
                    break
    return tuple(names)


_FUNCTIONS = frozenset({0, 2, 10})  # untyped (as some linkers leave them), function, indirect function
