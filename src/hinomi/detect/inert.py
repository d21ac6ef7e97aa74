"""Inert ELF, PE and Mach-O files for rule cases and tests: headers and strings, and not one instruction of use.

The code section of each holds a single return (or trap); nothing here does anything when run.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

_MACHINES = {"x86_64": 62, "i386": 3, "arm": 40, "aarch64": 183, "mips": 8, "ppc": 20, "riscv": 243}
_BASE = 0x400000


@dataclass(slots=True)
class _Section:
    name: str
    kind: int
    data: bytes
    flags: int = 2
    link: int = 0
    info: int = 0
    align: int = 8
    entry: int = 0
    offset: int = field(default=0)


_EXIT = b"\x31\xff\xb8\x3c\0\0\0\x0f\x05"  # x86-64: exit(0), nothing else


def elf(
    strings: Sequence[str | bytes] = (),
    *,
    imports: Sequence[str] = (),
    needed: Sequence[str] = (),
    stripped: bool = True,
    static: bool = False,
    machine: str = "x86_64",
    shared: bool = False,
    interpreter: str | None = "/lib64/ld-linux-x86-64.so.2",
    compiler: str = "GCC: (Debian 12.2.0-14) 12.2.0",
    overlay: bytes = b"",
) -> bytes:
    """Return a little-endian ELF64 whose `.rodata` holds `strings`, each closed by a zero byte.

    `imports` become undefined dynamic symbols, `needed` DT_NEEDED entries; `static` leaves out interpreter and dynamic
    section; `stripped` leaves out the symbol table.
    """
    sections = [_Section("", 0, b"", 0)]
    if not static:
        sections += _dynamic_sections(imports, needed, None if shared else interpreter)
    sections.append(_Section(".text", 1, _EXIT, 6, align=16))
    sections.append(_Section(".rodata", 1, _zero_ended(strings), align=16))
    sections.append(_Section(".comment", 1, compiler.encode() + b"\0", 0, align=1))
    if not stripped:
        strtab = b"\0main\0"
        index = len(sections)
        symbols = b"\0" * 24 + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, _BASE, 1)
        sections.append(_Section(".symtab", 2, symbols, 0, link=index + 1, info=1, entry=24))
        sections.append(_Section(".strtab", 3, strtab, 0, align=1))
    return _assembled(sections, _MACHINES[machine], shared=shared) + overlay


def _zero_ended(strings: Sequence[str | bytes]) -> bytes:
    return b"".join((s.encode("utf-8", "surrogateescape") if isinstance(s, str) else s) + b"\0" for s in strings)


def _dynamic_sections(imports: Sequence[str], needed: Sequence[str], interpreter: str | None) -> list[_Section]:
    names = [*imports, *needed]
    table, places = b"\0", {}
    for name in names:
        places[name] = len(table)
        table += name.encode() + b"\0"
    symbols = b"\0" * 24 + b"".join(struct.pack("<IBBHQQ", places[name], 0x12, 0, 0, 0, 0) for name in imports)
    result = [_Section(".interp", 1, interpreter.encode() + b"\0", align=1)] if interpreter else []
    strings_index = len(result) + 2  # the null section stands before, the symbols between
    result.append(_Section(".dynsym", 11, symbols, link=strings_index, info=1, entry=24))
    result.append(_Section(".dynstr", 3, table, align=1))
    tags = [(1, places[name]) for name in needed]
    result.append(_Section(".dynamic", 6, _tags(tags), 3, link=strings_index, entry=16))
    return result


def _tags(tags: Sequence[tuple[int, int]]) -> bytes:
    """Return dynamic entries with room for DT_STRTAB, DT_SYMTAB and DT_STRSZ, whose addresses come later."""
    return b"".join(struct.pack("<QQ", *tag) for tag in [*tags, (5, 0), (6, 0), (10, 0), (11, 24), (0, 0)])


def _assembled(sections: list[_Section], machine: int, *, shared: bool) -> bytes:
    names = b"\0"
    name_places = []
    sections.append(_Section(".shstrtab", 3, b"", 0, align=1))
    for section in sections:
        name_places.append(len(names) if section.name else 0)
        names += section.name.encode() + b"\0" if section.name else b""
    sections[-1].data = names
    segments = _segment_count(sections)
    offset = 64 + 56 * segments
    for section in sections[1:]:
        offset += -offset % section.align
        section.offset = offset
        offset += len(section.data)
    _patch_dynamic(sections)
    table_offset = offset + (-offset % 8)
    body = bytearray(table_offset)
    for section in sections[1:]:
        body[section.offset : section.offset + len(section.data)] = section.data
    body[:64] = _elf_header(sections, machine, segments, table_offset, shared=shared)
    headers = _segments(sections, table_offset)
    body[64 : 64 + len(headers)] = headers
    return bytes(body) + b"".join(_section_header(s, n) for s, n in zip(sections, name_places, strict=True))


def _by_name(sections: list[_Section], name: str) -> _Section | None:
    return next((section for section in sections if section.name == name), None)


def _segment_count(sections: list[_Section]) -> int:
    return 1 + sum(_by_name(sections, name) is not None for name in (".interp", ".dynamic"))


def _patch_dynamic(sections: list[_Section]) -> None:
    dynamic, strings, symbols = (_by_name(sections, name) for name in (".dynamic", ".dynstr", ".dynsym"))
    if not (dynamic and strings and symbols):
        return
    values = {5: _BASE + strings.offset, 6: _BASE + symbols.offset, 10: len(strings.data)}
    pairs = struct.iter_unpack("<QQ", dynamic.data)
    dynamic.data = b"".join(struct.pack("<QQ", tag, values.get(tag, value)) for tag, value in pairs)


def _elf_header(sections: list[_Section], machine: int, segments: int, table: int, *, shared: bool) -> bytes:
    text = _by_name(sections, ".text")
    entry = 0 if shared or text is None else _BASE + text.offset
    ident = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    last = len(sections) - 1
    return ident + struct.pack(
        "<HHIQQQIHHHHHH", 3 if shared else 2, machine, 1, entry, 64, table, 0, 64, 56, segments, 64, last + 1, last
    )


def _segments(sections: list[_Section], size: int) -> bytes:
    rows = [struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)]
    for name, kind in ((".interp", 3), (".dynamic", 2)):
        section = _by_name(sections, name)
        if section is not None:
            place, length = section.offset, len(section.data)
            rows.append(struct.pack("<IIQQQQQQ", kind, 4, place, _BASE + place, _BASE + place, length, length, 8))
    return b"".join(rows)


def _section_header(section: _Section, name: int) -> bytes:
    address = _BASE + section.offset if section.flags & 2 else 0
    return struct.pack(
        "<IIQQQQIIQQ", name, section.kind, section.flags, address, section.offset, len(section.data), section.link,
        section.info, section.align if section.kind else 0, section.entry,
    )  # fmt: skip


def pe(strings: Sequence[str | bytes] = (), *, dll: bool = False, wide: bool = False, overlay: bytes = b"") -> bytes:
    """Return a 64-bit PE with one read-only section of `strings` (UTF-16 too where `wide`)."""
    data = _zero_ended(strings)
    if wide:
        texts = [s if isinstance(s, str) else s.decode("latin-1") for s in strings]
        data += b"".join(text.encode("utf-16-le") + b"\0\0" for text in texts)
    raw = data + b"\0" * (-len(data) % 512 or 512 * (not data))
    dos = b"MZ" + b"\0" * 58 + struct.pack("<I", 64)
    characteristics = 0x2022 if dll else 0x0022
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, characteristics)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, 0, len(raw), 0, 0x1000, 0x1000)
    optional += struct.pack("<QIIHHHHHH", 0x140000000, 0x1000, 512, 6, 0, 0, 0, 6, 0)
    optional += struct.pack("<IIIIHH", 0, 0x3000, 512, 0, 3, 0x8160)
    optional += struct.pack("<QQQQII", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16) + b"\0" * 128
    section = struct.pack("<8sIIIIIIHHI", b".rdata", len(data), 0x1000, len(raw), 512, 0, 0, 0, 0, 0x40000040)
    head = dos + coff + optional + section
    return head + b"\0" * (512 - len(head)) + raw + overlay


def macho(strings: Sequence[str | bytes] = (), *, fat: bool = False, arm: bool = False) -> bytes:
    """Return a 64-bit Mach-O program with one segment of `strings`; `fat` wraps it in a universal binary."""
    data = _zero_ended(strings)
    cpu, subtype = (0x0100000C, 0) if arm else (0x01000007, 3)
    size = 32 + 72 + len(data)
    header = struct.pack("<IIIIIIII", 0xFEEDFACF, cpu, subtype, 2, 1, 72, 0x85, 0)
    segment = struct.pack("<II16sQQQQIIII", 0x19, 72, b"__TEXT", 0x100000000, 0x4000, 0, size, 5, 5, 0, 0)
    thin = header + segment + data
    if not fat:
        return thin
    slice_header = struct.pack(">IIIII", cpu, subtype, 4096, len(thin), 12)
    return (struct.pack(">II", 0xCAFEBABE, 1) + slice_header).ljust(4096, b"\0") + thin
