"""MS-OVBA: the compression of VBA projects, and the `dir` stream that lists their modules. Bounded, own code.

Source of the formats: Microsoft Open Specifications, [MS-OVBA] 2.4.1 (compression) and 2.3.4.2 (dir stream).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hinomi.model.errors import ParseError

CHUNK = 4096
MAX_OUTPUT = 4 << 20  # a module this long is nobody's
MAX_MODULES = 2000
_SIGNATURE = 0b011
_CODE_PAGES = {
    932: "cp932",
    936: "gbk",
    949: "cp949",
    950: "cp950",
    1200: "utf-16-le",
    10000: "mac-roman",
    65001: "utf-8",
}
_PROJECT_CODE_PAGE, _MODULE_NAME, _STREAM_NAME, _OFFSET, _MODULE_END, _VERSION = 0x03, 0x19, 0x1A, 0x31, 0x2B, 0x09
_NAME_UNICODE, _STREAM_UNICODE = 0x47, 0x32


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project: its name, the stream that holds it, and where its source begins there."""

    name: str
    stream: str
    offset: int


@dataclass(frozen=True, slots=True)
class Project:
    """What the `dir` stream says."""

    encoding: str
    modules: tuple[Module, ...]


def decompress(data: bytes, limit: int = MAX_OUTPUT) -> bytes:
    """Unpack a compressed container; at most `limit` bytes come out. `ParseError` where it is none.

    A damaged chunk ends the result: what was unpacked before it is kept.
    """
    if not data or data[0] != 1:
        raise ParseError("ovba-unreadable", cause="no compressed container")
    result = bytearray()
    position = 1
    while position + 2 <= len(data) and len(result) < limit:
        header = struct.unpack_from("<H", data, position)[0]
        if (header >> 12) & 7 != _SIGNATURE:
            if not result:
                raise ParseError("ovba-unreadable", cause="no chunk signature")
            break
        end = min(position + (header & 0xFFF) + 3, len(data))
        chunk = data[position + 2 : end]
        result += _unpacked(chunk) if header & 0x8000 else chunk[:CHUNK]
        position = end
    return bytes(result[:limit])


def _unpacked(chunk: bytes) -> bytes:
    result = bytearray()
    position = 0
    while position < len(chunk) and len(result) < CHUNK:
        flags = chunk[position]
        position += 1
        if not flags and len(result) <= CHUNK - 8:  # eight literals
            result += chunk[position : position + 8]
            position += 8
            continue
        for bit in range(8):
            if position >= len(chunk) or len(result) >= CHUNK:
                break
            if not flags >> bit & 1:
                result.append(chunk[position])
                position += 1
                continue
            if position + 2 > len(chunk) or not _copied(result, struct.unpack_from("<H", chunk, position)[0]):
                return bytes(result)
            position += 2
    return bytes(result)


def _copied(result: bytearray, token: int) -> bool:
    """Append what a copy token names; False where it points before the chunk's start."""
    offset_bits = max((len(result) - 1).bit_length(), 4)
    length_bits = 16 - offset_bits
    length = (token & ((1 << length_bits) - 1)) + 3
    offset = (token >> length_bits) + 1
    if offset > len(result):
        return False
    length = min(length, CHUNK - len(result))
    start = len(result) - offset
    pattern = result[start : start + length]  # shorter than `length` where the copy runs into itself: it repeats
    result += (pattern * (length // len(pattern) + 1))[:length] if pattern else b""
    return True


def read_dir(data: bytes) -> Project:
    """Read the unpacked `dir` stream: records of `id, size, data`. Stops at the first record that does not fit."""
    encoding = "cp1252"
    modules: list[Module] = []
    name = stream = ""
    position = 0
    while position + 6 <= len(data) and len(modules) < MAX_MODULES:
        kind, size = struct.unpack_from("<HI", data, position)
        if kind == _VERSION:  # its size field says 4, yet 6 bytes follow
            size = 6
        value = data[position + 6 : position + 6 + size]
        position += 6 + size
        if kind == _PROJECT_CODE_PAGE and len(value) == 2:
            encoding = encoding_of(struct.unpack("<H", value)[0])
        elif kind == _MODULE_NAME:
            name = stream = value.decode(encoding, "replace")
        elif kind == _NAME_UNICODE:
            name = value.decode("utf-16-le", "replace")
        elif kind == _STREAM_NAME:
            stream = value.decode(encoding, "replace")
        elif kind == _STREAM_UNICODE and value:
            stream = value.decode("utf-16-le", "replace")
        elif kind == _OFFSET and len(value) == 4:
            modules.append(Module(name, stream, struct.unpack("<I", value)[0]))
    return Project(encoding, tuple(modules))


def encoding_of(code_page: int) -> str:
    """Return Python's name of a Windows code page; cp1252 for those it does not know."""
    name = _CODE_PAGES.get(code_page, f"cp{code_page}")
    try:
        "".encode(name)
    except LookupError:
        return "cp1252"
    return name


def find_source(data: bytes) -> bytes | None:
    """Return the source in a module's stream whose offset nobody told: the container whose text begins `Attribut`."""
    position = data.find(b"\x00Attribut")
    while position >= 3:
        try:
            return decompress(data[position - 3 :])
        except ParseError:
            position = data.find(b"\x00Attribut", position + 1)
    return None
