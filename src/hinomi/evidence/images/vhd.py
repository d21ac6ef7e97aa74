"""Microsoft's VHD: fixed, dynamic and differencing. Format: "Virtual Hard Disk Image Format Specification" 1.0."""

from __future__ import annotations

import struct
from collections.abc import Callable

from hinomi.evidence.archives.source import SliceSource, Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.model.errors import ParseError
from hinomi.model.text import path_text, printable

SECTOR = 512
MAX_TABLE = 32 << 20
MAX_BLOCK = 256 << 20
_UNUSED = 0xFFFFFFFF
_FIXED, _DYNAMIC, _DIFFERENCING = 2, 3, 4
_LOCATORS = 8
MAX_NAME = 4096
Parent = Callable[[list[bytes]], tuple[Source, Source] | None]  # from names to the parent's file and disk


def open_vhd(source: Source, parent: Parent) -> Source:
    """Return the disk; `ParseError` for damage, and where the parent of a differencing disk is not beside it."""
    footer = source.read_at(source.size - SECTOR, SECTOR)
    if footer[:8] != b"conectix":
        footer = source.read_at(0, SECTOR)  # dynamic disks begin with a copy of it
    if len(footer) < SECTOR or footer[:8] != b"conectix":
        raise ParseError("image.truncated", cause="no VHD footer")
    size, kind = int.from_bytes(footer[48:56], "big"), int.from_bytes(footer[60:64], "big")
    if kind == _FIXED:
        return SliceSource(source, 0, size)
    header = int.from_bytes(footer[16:24], "big")
    if kind == _DIFFERENCING:
        return DynamicVhd(source, header, size, _parent_of(source, header, parent))
    if kind != _DYNAMIC:
        raise ParseError("image.unsupported", cause=f"VHD of kind {kind}")
    return DynamicVhd(source, header, size)


def _parent_of(source: Source, header_at: int, parent: Parent) -> Source:
    """Return the disk that a differencing one is a layer over, and see that it is the right one."""
    head = source.read_at(header_at, 1024)
    names = [head[64:576].decode("utf-16-be", "replace").split("\0")[0].encode("utf-8", "replace")]
    for at in range(576, 576 + 24 * _LOCATORS, 24):
        code, _, length, _, place = struct.unpack_from(">4sIIIQ", head.ljust(1024, b"\0"), at)
        if code in (b"W2ru", b"W2ku"):
            raw = source.read_at(place, min(length, MAX_NAME))
            names.append(raw.decode("utf-16-le", "replace").rstrip("\0").encode("utf-8", "replace"))
    found = parent([name for name in names if name])
    if found is None:
        shown = printable(path_text(names[-1][-200:]))
        raise ParseError("image.incomplete", cause=f"the parent of a differencing VHD is not beside it: {shown}")
    file, disk = found
    if file.read_at(file.size - SECTOR + 68, 16) != head[40:56]:
        raise ParseError("image.incomplete", cause="what lies beside a differencing VHD is not its parent")
    return disk


class DynamicVhd:
    """A disk in blocks, each behind a bitmap of its sectors. `below` is the parent of a differencing disk."""

    def __init__(self, source: Source, header_at: int, size: int, below: Source | None = None) -> None:
        """Read the header and the block table."""
        self._below = below
        head = source.read_at(header_at, 1024)
        if len(head) < 1024 or head[:8] != b"cxsparse":
            raise ParseError("image.damaged", cause="VHD header")
        table, entries, block = struct.unpack_from(">Q4xII", head, 16)
        if not SECTOR <= block <= MAX_BLOCK or block & (block - 1) or entries * 4 > MAX_TABLE:
            raise ParseError("image.damaged", cause="VHD header")
        raw = source.read_at(table, entries * 4)
        if len(raw) < entries * 4:
            raise ParseError("image.truncated", cause="VHD block table")
        self.size = size
        self._source = source
        self._block = block
        self._bitmap = -(-block // (SECTOR * 8 * SECTOR)) * SECTOR
        self._table = struct.unpack(f">{entries}I", raw)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes; blocks that were never written are zeros."""
        return read_in_steps(self.size, self._block, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        sector = self._table[index] if index < len(self._table) else _UNUSED
        if sector == _UNUSED:
            return from_below(self._below, index * self._block + inside, number)
        start = sector * SECTOR + self._bitmap
        if self._below is None:
            return self._source.read_at(start + inside, number)
        bitmap = self._source.read_at(sector * SECTOR, self._bitmap)
        return mixed(
            inside, number, lambda one: bool(bitmap[one >> 3] & 0x80 >> (one & 7)) if one >> 3 < len(bitmap) else False,
            lambda at, length: self._source.read_at(start + at, length),
            lambda at, length: from_below(self._below, index * self._block + at, length),
        )  # fmt: skip


def from_below(below: Source | None, offset: int, number: int) -> bytes:
    """Return bytes of the parent, zeros where there is none or it ends."""
    return below.read_at(offset, number).ljust(number, b"\0") if below is not None else bytes(number)


def mixed(
    inside: int,
    number: int,
    is_here: Callable[[int], bool],
    here: Callable[[int, int], bytes],
    there: Callable[[int, int], bytes],
) -> bytes:
    """Return bytes of a block whose sectors lie in two places; `is_here` tells of a sector of 512 bytes."""
    out: list[bytes] = []
    at, end = inside, inside + number
    while at < end:
        own = is_here(at // SECTOR)
        to = at
        while to < end and is_here(to // SECTOR) == own:
            to = min(end, (to // SECTOR + 1) * SECTOR)
        out.append((here if own else there)(at, to - at))
        at = to
    return b"".join(out)
