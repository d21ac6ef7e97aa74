"""Windows registry hives (regf), read key by key where they lie: bounded, cycles refused, `ParseError` for damage.

Layout: 4096-byte header, then cells; a cell begins with its signed size. Offsets count from the end of the header.
Transaction logs are not replayed; `Hive.dirty` says when that matters.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from hinomi.model.errors import ParseError

_BASE = 4096
MAX_KEYS = 100_000
MAX_VALUES = 4096
MAX_DATA = 64 << 10
MAX_LIST_DEPTH = 4
_COMPRESSED_KEY, _COMPRESSED_VALUE = 0x20, 0x1
_TEXTS = (1, 2, 6)  # REG_SZ, REG_EXPAND_SZ, REG_LINK


class Key(NamedTuple):
    """A key: its name and where its lists of subkeys and values lie."""

    name: str
    subkeys: int
    subkey_list: int
    values: int
    value_list: int


class Hive:
    """A hive open for reading; the caller closes the file. Every method raises `ParseError` or `OSError` only."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        header = self._at(0, 64)
        if header[:4] != b"regf":
            raise ParseError("hive-unreadable", cause="no regf header")
        first, second = struct.unpack_from("<II", header, 4)
        self.dirty: bool = first != second
        self._root = self._key(struct.unpack_from("<I", header, 36)[0])

    def key(self, path: str) -> Key | None:
        r"""Return the key at `A\B\C` (letter case ignored), None where it is missing."""
        key = self._root
        for part in path.split("\\"):
            found = next((k for k in self.subkeys(key) if k.name.casefold() == part.casefold()), None)
            if found is None:
                return None
            key = found
        return key

    def subkeys(self, key: Key) -> Iterator[Key]:
        """Yield a key's subkeys in stored order."""
        if key.subkeys:
            for number, offset in enumerate(self._subkey_offsets(key.subkey_list, 0)):
                if number >= min(key.subkeys, MAX_KEYS):
                    return
                yield self._key(offset)

    def values(self, key: Key) -> dict[str, str | int]:
        """Return a key's text and number values by name; multi-texts come joined with spaces, others not at all."""
        found: dict[str, str | int] = {}
        if not key.values or key.value_list == 0xFFFFFFFF:
            return found
        count = min(key.values, MAX_VALUES)
        for offset in struct.unpack(f"<{count}I", self._cell(key.value_list, 4 * count)):
            name, value = self._value(offset)
            if value is not None:
                found[name] = value
        return found

    def _subkey_offsets(self, offset: int, depth: int) -> Iterator[int]:
        if depth >= MAX_LIST_DEPTH:
            raise ParseError("hive-unreadable", cause="subkey lists nest too deep")
        kind, count = struct.unpack("<2sH", self._cell(offset, 4))
        if kind in (b"lf", b"lh"):
            data = self._cell(offset, 4 + 8 * count)
            yield from (struct.unpack_from("<I", data, 4 + 8 * i)[0] for i in range(count))
        elif kind == b"li":
            yield from struct.unpack(f"<{count}I", self._cell(offset, 4 + 4 * count)[4:])
        elif kind == b"ri":
            for sub in struct.unpack(f"<{count}I", self._cell(offset, 4 + 4 * count)[4:]):
                yield from self._subkey_offsets(sub, depth + 1)
        else:
            raise ParseError("hive-unreadable", cause="unknown subkey list")

    def _key(self, offset: int) -> Key:
        data = self._cell(offset, 76)
        if data[:2] != b"nk":
            raise ParseError("hive-unreadable", cause="a key cell is none")
        flags = struct.unpack_from("<H", data, 2)[0]
        subkeys, _, subkey_list = struct.unpack_from("<III", data, 20)
        values, value_list = struct.unpack_from("<II", data, 36)
        length = struct.unpack_from("<H", data, 72)[0]
        raw = self._cell(offset, 76 + length)[76:]
        return Key(_name(raw, bool(flags & _COMPRESSED_KEY)), subkeys, subkey_list, values, value_list)

    def _value(self, offset: int) -> tuple[str, str | int | None]:
        data = self._cell(offset, 20)
        signature, length, size, where, kind, flags = struct.unpack("<2sHIIIH", data[:18])
        if signature != b"vk":
            raise ParseError("hive-unreadable", cause="a value cell is none")
        name = _name(self._cell(offset, 20 + length)[20:], bool(flags & _COMPRESSED_VALUE))
        if size & 0x80000000:
            return name, _decoded(kind, struct.pack("<I", where)[: size & 7])
        if size > MAX_DATA or kind not in (*_TEXTS, 4, 7):
            return name, None
        return name, _decoded(kind, self._cell(where, size))

    def _cell(self, offset: int, size: int) -> bytes:
        return self._at(_BASE + offset + 4, size)

    def _at(self, position: int, size: int) -> bytes:
        self._file.seek(position)
        data = self._file.read(size)
        if len(data) < size:
            raise ParseError("hive-unreadable", cause="cut short")
        return data


def _name(raw: bytes, compressed: bool) -> str:
    return raw.decode("latin-1") if compressed else raw.decode("utf-16-le", "replace")


def _decoded(kind: int, data: bytes) -> str | int | None:
    if kind == 4:
        return int.from_bytes(data[:4], "little")
    if kind in _TEXTS:
        return data.decode("utf-16-le", "replace").split("\0", 1)[0]
    if kind == 7:
        return " ".join(part for part in data.decode("utf-16-le", "replace").split("\0") if part)
    return None
