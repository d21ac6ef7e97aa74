"""Partition tables: MBR with extended partitions, GPT. Format: UEFI 2.10 chapter 5. Nothing is trusted."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from hinomi.evidence.archives.source import SliceSource, Source
from hinomi.model.errors import ParseError

SECTOR = 512
MAX_PARTITIONS = 128
_EXTENDED = frozenset({0x05, 0x0F, 0x85})


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
