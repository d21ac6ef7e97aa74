"""Programs that do nothing: ELF, PE and Mach-O files whose only code ends at once.

They carry the traits a rule looks at (strings, imports, sections) and no behaviour. Layouts follow the public
format descriptions (System V gABI, Microsoft PE/COFF, Apple's loader.h).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_EXIT = b"\x31\xff\xb8\x3c\x00\x00\x00\x0f\x05"  # xor edi, edi; mov eax, 60; syscall: exit(0)
_BASE = 0x400000
_HEADER, _PROGRAM, _SECTION = 64, 56, 64


@dataclass(frozen=True, slots=True)
class _Section:
    """One section to lay out: name, ELF type, flags, content, and the index of the section it refers to."""

    name: str
    kind: int
    flags: int
    data: bytes
    link: int = 0
    entry_size: int = 0
    info: int = 0


def elf(
    strings: Sequence[str] = (),
    *,
    imports: Sequence[str] = (),
    needed: Sequence[str] = ("libc.so.6",),
    comment: str = "GCC: (Buildroot) 9.3.0",
    symbols: Sequence[str] = (),
) -> bytes:
    """Return an x86-64 ELF program that exits with 0; `imports` makes it dynamic, `symbols` unstripped."""
    sections = [_Section("", 0, 0, b""), _Section(".text", 1, 6, _EXIT)]
    sections.append(_Section(".rodata", 1, 2, b"\0" + b"".join(s.encode() + b"\0" for s in strings)))
    if imports:
        sections.extend(_dynamic(imports, needed, first=len(sections)))
    sections.append(_Section(".comment", 1, 0x30, comment.encode() + b"\0"))
    if symbols:
        sections.extend(_symbol_table(".symtab", 2, ".strtab", symbols, first=len(sections), flags=0))
    return _lay_out(sections, interpreter=b"/lib64/ld-linux-x86-64.so.2\0" if imports else b"")


def _symbol_table(
    name: str, kind: int, strings_name: str, names: Sequence[str], *, first: int, flags: int
) -> list[_Section]:
    text, table = b"\0", b"\0" * 24
    for symbol in names:
        table += struct.pack("<IBBHQQ", len(text), 0x12, 0, 0 if kind == 11 else 1, 0, 0)
        text += symbol.encode() + b"\0"
    return [
        _Section(name, kind, flags, table, link=first + 1, entry_size=24, info=1),
        _Section(strings_name, 3, flags, text),
    ]


def _dynamic(imports: Sequence[str], needed: Sequence[str], *, first: int) -> list[_Section]:
    symbols, strings = _symbol_table(".dynsym", 11, ".dynstr", imports, first=first, flags=2)
    text, entries = strings.data, b""
    for library in needed:
        entries += struct.pack("<QQ", 1, len(text))
        text += library.encode() + b"\0"
    # DT_STRTAB and DT_SYMTAB are filled in by _lay_out, when addresses are known.
    entries += struct.pack("<QQQQQQQQ", 5, 0, 10, len(text), 6, 0, 11, 24) + struct.pack("<QQ", 0, 0)
    dynamic = _Section(".dynamic", 6, 3, entries, link=first + 1, entry_size=16)
    return [symbols, _Section(".dynstr", 3, 2, text), dynamic]


def _lay_out(sections: list[_Section], interpreter: bytes) -> bytes:
    if interpreter:
        sections = [*sections, _Section(".interp", 1, 2, interpreter)]
    names, offsets = b"", []
    for section in sections:
        offsets.append(len(names))
        names += section.name.encode() + b"\0"
    offsets.append(len(names))
    sections = [*sections, _Section(".shstrtab", 3, 0, names + b".shstrtab\0")]
    segments = 1 + sum(s.name in (".dynamic", ".interp") for s in sections)
    places, position = [], _HEADER + _PROGRAM * segments
    for section in sections:
        position += -position % 8
        places.append(position)
        position += len(section.data)
    body = _body(sections, places)
    table = b"".join(_section_header(s, offsets[i], places[i]) for i, s in enumerate(sections))
    start = len(body) + -len(body) % 8
    head = _elf_header(_BASE + places[1], start, segments, len(sections))
    programs = _program_headers(sections, places, len(body))
    return (head + programs).ljust(_HEADER + _PROGRAM * segments, b"\0") + (
        body[_HEADER + _PROGRAM * segments :] + b"\0" * (start - len(body)) + table
    )


def _body(sections: list[_Section], places: list[int]) -> bytes:
    body = bytearray()
    addresses = {s.name: _BASE + places[i] for i, s in enumerate(sections)}
    for section, place in zip(sections, places, strict=True):
        body.extend(b"\0" * (place - len(body)))
        body.extend(_with_addresses(section, addresses))
    return bytes(body)


def _with_addresses(section: _Section, addresses: dict[str, int]) -> bytes:
    if section.name != ".dynamic":
        return section.data
    entries = bytearray()
    for tag, value in struct.iter_unpack("<QQ", section.data):
        place = {5: addresses[".dynstr"], 6: addresses[".dynsym"]}.get(tag, value)
        entries += struct.pack("<QQ", tag, place)
    return bytes(entries)


def _elf_header(entry: int, section_table: int, segments: int, sections: int) -> bytes:
    identity = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    rest = struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, entry, _HEADER, section_table, 0,
        _HEADER, _PROGRAM, segments, _SECTION, sections, sections - 1,
    )  # fmt: skip
    return identity + rest


def _program_headers(sections: list[_Section], places: list[int], size: int) -> bytes:
    headers = b""
    for index, section in enumerate(sections):
        kind = {".interp": 3, ".dynamic": 2}.get(section.name)
        if kind:
            address, length = _BASE + places[index], len(section.data)
            headers += struct.pack("<IIQQQQQQ", kind, 4, places[index], address, address, length, length, 8)
    return struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000) + headers


def _section_header(section: _Section, name: int, place: int) -> bytes:
    address = _BASE + place if section.flags & 2 else 0
    return struct.pack(
        "<IIQQQQIIQQ", name, section.kind, section.flags, address, place if section.kind else 0,
        len(section.data), section.link, section.info, 1, section.entry_size,
    )  # fmt: skip


def pe(strings: Sequence[str] = (), *, wide: Sequence[str] = (), dll: bool = False) -> bytes:
    """Return a 32-bit Windows program whose entry point is a single `ret`; strings lie in its data section."""
    text = b"\xc3".ljust(512, b"\0")
    data = b"\0".join([s.encode() for s in strings] + [s.encode("utf-16-le") for s in wide]) + b"\0"
    size = len(data) + -len(data) % 512
    stub = b"MZ" + b"\0" * 58 + struct.pack("<I", 64)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 2, 0, 0, 0, 224, 0x2102 if dll else 0x0102)
    optional = struct.pack(
        "<HBBIIIIIIIIIHHHHHHIIIIHHIIIIII", 0x10B, 9, 0, 512, size, 0, 0x1000, 0x1000, 0x2000, 0x400000, 0x1000, 512,
        5, 0, 0, 0, 5, 0, 0, 0x3000 + size, 0x400, 0, 2, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16,
    ).ljust(224, b"\0")  # fmt: skip
    sections = _pe_section(b".text", 1, 0x1000, 512, 0x400, 0x60000020)
    sections += _pe_section(b".rdata", len(data), 0x2000, size, 0x600, 0x40000040)
    return (stub + coff + optional + sections).ljust(0x400, b"\0") + text + data.ljust(size, b"\0")


def _pe_section(name: bytes, size: int, address: int, raw: int, place: int, flags: int) -> bytes:
    return name.ljust(8, b"\0") + struct.pack("<IIIIIIHHI", size, address, raw, place, 0, 0, 0, 0, flags)


def mach_o(strings: Sequence[str] = ()) -> bytes:
    """Return a 64-bit Mach-O program without a load command that could run; strings follow the header."""
    header = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x01000007, 3, 2, 0, 0, 0x85, 0)
    return header + b"\0" + b"\0".join(s.encode() for s in strings) + b"\0"


def fat_mach_o(strings: Sequence[str] = ()) -> bytes:
    """Return a universal Mach-O with one inert 64-bit part."""
    part = mach_o(strings)
    return struct.pack(">IIIIIII", 0xCAFEBABE, 1, 0x01000007, 3, 4096, len(part), 12).ljust(4096, b"\0") + part
