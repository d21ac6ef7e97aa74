"""A writer of small ELF files in both classes and byte orders; they do nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import pytest

ElfMaker = Callable[..., bytes]

_TYPES = {".symtab": 2, ".strtab": 3, ".shstrtab": 3, ".dynamic": 6, ".note.gnu.build-id": 7, ".dynsym": 11}


@pytest.fixture(scope="session")
def make_elf() -> ElfMaker:
    return _make


def _make(
    *,
    bits: int = 64,
    order: str = "<",
    machine: int = 62,
    kind: int = 2,
    sections: Mapping[str, bytes] | None = None,
    interpreter: bytes | None = None,
    headers: bool = True,
    tail: bytes = b"",
) -> bytes:
    """Write header, optional interpreter segment, one loaded segment over everything, sections, section headers."""
    wide = bits == 64
    head_size, segment_size = (64, 56) if wide else (52, 32)
    count = 2 if interpreter else 1
    body = b""
    start = head_size + segment_size * count
    if interpreter:
        body += interpreter + b"\0"
    places, names = [], b"\0"
    everything = {**(sections or {}), ".shstrtab": b""} if headers else dict(sections or {})
    offsets = {}
    for name in everything:
        offsets[name] = len(names)
        names += name.encode() + b"\0"
    for name, content in everything.items():
        data = names if name == ".shstrtab" else content
        places.append((name, start + len(body), len(data)))
        body += data
    end = start + len(body)
    table = _section(order, wide, 0, 0, 0, 0) if headers else b""
    for name, offset, size in places if headers else ():
        table += _section(order, wide, offsets[name], _TYPES.get(name, 1), offset, size)
    segments = b""
    if interpreter:
        segments += _segment(order, wide, 3, 4, start, len(interpreter) + 1)
    segments += _segment(order, wide, 1, 4, 0, end)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    word = "Q" if wide else "I"
    header = struct.pack(
        f"{order}HHI{word}{word}{word}IHHHHHH", kind, machine, 1, 0, head_size, end if headers else 0, 0, head_size,
        segment_size, count, 64 if wide else 40, len(places) + 1 if headers else 0, len(places) if headers else 0,
    )  # fmt: skip
    return ident + header + segments + body + table + tail


def _section(order: str, wide: bool, name: int, kind: int, offset: int, size: int) -> bytes:
    link = 0
    if wide:
        return struct.pack(order + "IIQQQQIIQQ", name, kind, 0, offset, offset, size, link, 0, 1, 0)
    return struct.pack(order + "IIIIIIIIII", name, kind, 0, offset, offset, size, link, 0, 1, 0)


def _segment(order: str, wide: bool, kind: int, flags: int, offset: int, size: int) -> bytes:
    if wide:
        return struct.pack(order + "IIQQQQQQ", kind, flags, offset, offset, offset, size, size, 1)
    return struct.pack(order + "IIIIIIII", kind, offset, offset, offset, size, size, flags, 1)
