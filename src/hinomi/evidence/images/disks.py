"""Disks: partition tables (MBR with extended partitions, GPT) and QEMU's qcow2.

Formats: UEFI 2.10 chapter 5, QEMU's docs/interop/qcow2.txt. Nothing is trusted; tables are bounded.
"""

from __future__ import annotations

import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import Lock
from typing import NamedTuple

from hinomi.evidence.archives.source import SliceSource, Source
from hinomi.model.errors import ParseError

SECTOR = 512
MAX_PARTITIONS = 128
_EXTENDED = frozenset({0x05, 0x0F, 0x85})
MAX_CLUSTER_BITS = 21
MAX_L1 = 32 << 20
MAX_CACHED = 64
MAX_READ = 64 << 20


class Partition(NamedTuple):
    """One partition: its number and where it is, in bytes."""

    number: int
    start: int
    size: int


def partitions_of(source: Source) -> list[Partition]:
    """Return a disk's partitions in order of their number; empty where there is no table."""
    for sector in (512, 4096):
        header = source.read_at(sector, 92)
        if header[:8] == b"EFI PART":
            return list(_gpt(source, header, sector))
    return list(_mbr(source))


def _gpt(source: Source, header: bytes, sector: int) -> Iterator[Partition]:
    table, count, size = struct.unpack_from("<QII", header, 72)
    if not 128 <= size <= 4096:
        raise ParseError("image.damaged", cause="GPT entry size")
    for index in range(min(count, MAX_PARTITIONS)):
        entry = source.read_at(table * sector + index * size, 128)
        if len(entry) < 128 or not entry[:16].strip(b"\0"):
            continue
        first, last = struct.unpack_from("<QQ", entry, 32)
        if first <= last:
            yield Partition(index + 1, first * sector, (last - first + 1) * sector)


def _mbr(source: Source) -> Iterator[Partition]:
    head = source.read_at(0, SECTOR)
    for index in range(4):
        kind, first, count = _mbr_entry(head, index)
        if kind in _EXTENDED:
            yield from _logical(source, first)
        elif kind and count:
            yield Partition(index + 1, first * SECTOR, count * SECTOR)


def _logical(source: Source, base: int) -> Iterator[Partition]:
    at, seen = base, set[int]()
    while at not in seen and len(seen) < MAX_PARTITIONS:
        seen.add(at)
        head = source.read_at(at * SECTOR, SECTOR)
        if head[510:512] != b"\x55\xaa":
            return
        kind, first, count = _mbr_entry(head, 0)
        if kind and count:
            yield Partition(4 + len(seen), (at + first) * SECTOR, count * SECTOR)
        kind, first, _ = _mbr_entry(head, 1)
        if kind not in _EXTENDED:
            return
        at = base + first


def _mbr_entry(head: bytes, index: int) -> tuple[int, int, int]:
    entry = head[446 + 16 * index : 462 + 16 * index]
    return entry[4], int.from_bytes(entry[8:12], "little"), int.from_bytes(entry[12:16], "little")


def partition_source(source: Source, partition: Partition) -> Source:
    """Return a partition's bytes."""
    return SliceSource(source, partition.start, partition.size)


class Qcow2Source:
    """The disk inside a qcow2 image, without backing file; safe between threads."""

    def __init__(self, source: Source) -> None:
        """Read the header and the first table; `ParseError` for encryption, backing files and what is unknown."""
        head = source.read_at(0, 112)
        if len(head) < 72:
            raise ParseError("image.truncated", cause="qcow2 header")
        version, backing, _, bits, size, encrypted, entries, table = struct.unpack_from(">IQIIQIIQ", head, 4)
        incompatible = int.from_bytes(head[72:80], "big") if version >= 3 else 0
        if version not in (2, 3) or not 9 <= bits <= MAX_CLUSTER_BITS or entries * 8 > MAX_L1:
            raise ParseError("image.damaged", cause="qcow2 header")
        if encrypted:
            raise ParseError("image.encrypted", cause="qcow2")
        if backing or incompatible & ~1 & ~8:
            raise ParseError("image.unsupported", cause="qcow2 with a backing file" if backing else "qcow2 features")
        if incompatible & 8 and head[104:105] not in (b"", b"\0"):
            raise ParseError("image.unsupported", cause="qcow2 compressed by zstd")
        self.size = size
        self._source = source
        self._bits = bits
        self._l1 = struct.unpack(f">{entries}Q", _whole(source.read_at(table, entries * 8), entries * 8))
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._lock = Lock()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes; clusters that were never written are zeros."""
        if offset < 0 or offset >= self.size:
            return b""
        end = offset + min(length, self.size - offset, MAX_READ)
        out: list[bytes] = []
        step = 1 << self._bits
        while offset < end:
            inside = offset & (step - 1)
            number = min(step - inside, end - offset)
            out.append(self._cluster(offset >> self._bits, inside, number))
            offset += number
        return b"".join(out)

    def _cluster(self, index: int, inside: int, number: int) -> bytes:
        per = 1 << (self._bits - 3)
        first = index // per
        table = self._l1[first] & 0x00FFFFFFFFFFFE00 if first < len(self._l1) else 0
        if not table:
            return bytes(number)
        at = index % per * 8
        entry = int.from_bytes(self._table(table)[at : at + 8], "big")
        if entry & 1 << 62:
            return self._compressed(entry)[inside : inside + number]
        place = entry & 0x00FFFFFFFFFFFE00
        if not place or entry & 1:
            return bytes(number)
        return _whole(self._source.read_at(place + inside, number), number)

    def _table(self, at: int) -> bytes:
        return self._kept(at, lambda: _whole(self._source.read_at(at, 1 << self._bits), 1 << self._bits))

    def _compressed(self, entry: int) -> bytes:
        return self._kept(entry, lambda: self._inflate(entry))

    def _inflate(self, entry: int) -> bytes:
        shift = 62 - (self._bits - 8)
        place = entry & ((1 << shift) - 1)
        sectors = (entry >> shift & ((1 << (self._bits - 8)) - 1)) + 1
        raw = self._source.read_at(place, sectors * SECTOR - place % SECTOR)
        try:
            plain = zlib.decompressobj(-15).decompress(raw, 1 << self._bits)
        except zlib.error as error:
            raise ParseError("image.damaged", cause="qcow2 cluster") from error
        return _whole(plain, 1 << self._bits)

    def _kept(self, key: int, make: Callable[[], bytes]) -> bytes:
        with self._lock:
            known = self._cache.get(key)
        if known is None:
            known = make()
            with self._lock:
                self._cache[key] = known
                if len(self._cache) > MAX_CACHED:
                    self._cache.popitem(last=False)
        return known


def _whole(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise ParseError("image.truncated", cause="qcow2")
    return data
