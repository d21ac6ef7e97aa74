"""Microsoft's VHD: fixed and dynamic disks. Format: "Virtual Hard Disk Image Format Specification" 1.0."""

from __future__ import annotations

import struct

from hinomi.evidence.archives.source import SliceSource, Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.model.errors import ParseError

SECTOR = 512
MAX_TABLE = 32 << 20
MAX_BLOCK = 256 << 20
_UNUSED = 0xFFFFFFFF
_FIXED, _DYNAMIC = 2, 3


def open_vhd(source: Source) -> Source:
    """Return the disk; `ParseError` for damage and for differencing disks."""
    footer = source.read_at(source.size - SECTOR, SECTOR)
    if footer[:8] != b"conectix":
        footer = source.read_at(0, SECTOR)  # dynamic disks begin with a copy of it
    if len(footer) < SECTOR or footer[:8] != b"conectix":
        raise ParseError("image.truncated", cause="no VHD footer")
    size, kind = int.from_bytes(footer[48:56], "big"), int.from_bytes(footer[60:64], "big")
    if kind == _FIXED:
        return SliceSource(source, 0, size)
    if kind != _DYNAMIC:
        raise ParseError("image.unsupported", cause="a differencing VHD: name the disk it is a layer over")
    return DynamicVhd(source, int.from_bytes(footer[16:24], "big"), size)


class DynamicVhd:
    """A disk in blocks, each behind a bitmap of its sectors."""

    def __init__(self, source: Source, header_at: int, size: int) -> None:
        """Read the header and the block table."""
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
            return bytes(number)
        return self._source.read_at(sector * SECTOR + self._bitmap + inside, number)
