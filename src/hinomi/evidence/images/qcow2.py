"""QEMU's qcow2 as a disk. Format: QEMU's docs/interop/qcow2.txt."""

from __future__ import annotations

import struct
import zlib

from hinomi.evidence.archives.blocks import zstd_block
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

SECTOR = 512
MAX_CLUSTER_BITS = 21
MAX_L1 = 32 << 20
MAX_CACHED = 64
MAX_NAME = 1023
_DIRTY, _COMPRESSION = 1, 8


def backing_name(source: Source) -> bytes:
    """Return the name of the disk this one is a layer over; empty where it stands alone."""
    place, length = struct.unpack(">QI", source.read_at(8, 12).ljust(12, b"\0"))
    return source.read_at(place, min(length, MAX_NAME)) if place else b""


class Qcow2Source:
    """The disk inside a qcow2 image; safe between threads. `below` is its backing disk, if it has one."""

    def __init__(self, source: Source, below: Source | None = None) -> None:
        """Read the header and the first table; `ParseError` for encryption, a missing backing disk, the unknown."""
        head = source.read_at(0, 112)
        if len(head) < 72:
            raise ParseError("image.truncated", cause="qcow2 header")
        version, backing, _, bits, size, encrypted, entries, table = struct.unpack_from(">IQIIQIIQ", head, 4)
        incompatible = int.from_bytes(head[72:80], "big") if version >= 3 else 0
        if version not in (2, 3) or not 9 <= bits <= MAX_CLUSTER_BITS or entries * 8 > MAX_L1:
            raise ParseError("image.damaged", cause="qcow2 header")
        if encrypted:
            raise ParseError("image.encrypted", cause="qcow2")
        if incompatible & ~_DIRTY & ~_COMPRESSION:
            raise ParseError("image.unsupported", cause="qcow2 features")
        if backing and below is None:
            raise ParseError("image.unsupported", cause="qcow2 with a backing file that is not beside it")
        self._zstd = bool(incompatible & _COMPRESSION) and head[104:105] == b"\1"
        self.size = size
        self._source = source
        self._below = below
        self._bits = bits
        self._l1 = struct.unpack(f">{entries}Q", _whole(source.read_at(table, entries * 8), entries * 8))
        self._tables: Kept[bytes] = Kept(MAX_CACHED)
        self._plain: Kept[bytes] = Kept(MAX_CACHED)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes; clusters that were never written are the backing disk's, or zeros."""
        return read_in_steps(self.size, 1 << self._bits, offset, length, self._cluster)

    def _cluster(self, index: int, inside: int, number: int) -> bytes:
        first, at = divmod(index, 1 << (self._bits - 3))
        table = self._l1[first] & 0x00FFFFFFFFFFFE00 if first < len(self._l1) else 0
        entry = int.from_bytes(self._table(table)[at * 8 : at * 8 + 8], "big") if table else 0
        if entry & 1 << 62:
            plain = self._plain.get(entry, lambda: self._unpack(entry))
            return plain[inside : inside + number]
        place = entry & 0x00FFFFFFFFFFFE00
        if entry & 1:
            return bytes(number)
        if not place:
            return self._from_below((index << self._bits) + inside, number)
        return self._source.read_at(place + inside, number)

    def _from_below(self, offset: int, number: int) -> bytes:
        return self._below.read_at(offset, number).ljust(number, b"\0") if self._below is not None else bytes(number)

    def _table(self, at: int) -> bytes:
        size = 1 << self._bits
        return self._tables.get(at, lambda: _whole(self._source.read_at(at, size), size))

    def _unpack(self, entry: int) -> bytes:
        shift = 62 - (self._bits - 8)
        place = entry & ((1 << shift) - 1)
        sectors = (entry >> shift & ((1 << (self._bits - 8)) - 1)) + 1
        raw = self._source.read_at(place, sectors * SECTOR - place % SECTOR)
        size = 1 << self._bits
        if self._zstd:
            return _whole(zstd_block(raw, size), size)
        try:
            return _whole(zlib.decompressobj(-15).decompress(raw, size), size)
        except zlib.error as error:
            raise ParseError("image.damaged", cause="qcow2 cluster") from error


def _whole(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise ParseError("image.truncated", cause="qcow2")
    return data
