"""UBI: volumes of logical erase blocks on raw flash. Format: the kernel's drivers/mtd/ubi/ubi-media.h."""

from __future__ import annotations

import struct
from typing import NamedTuple

from hinomi.evidence.archives.source import SliceSource, Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.model.errors import ParseError
from hinomi.model.text import printable

MIN_BLOCK, MAX_BLOCK = 4096, 4 << 20
MAX_BLOCKS = 1 << 20
MAX_VOLUMES = 128
LAYOUT_VOLUME = 0x7FFFEFFF
RECORD = 172
_STATIC = 2


class _Block(NamedTuple):
    """The newest copy of a logical block: its place and how many bytes it holds."""

    sequence: int
    place: int
    size: int


class UbiVolume(NamedTuple):
    """A volume by its name."""

    name: str
    source: Source


def volumes_of(source: Source) -> list[UbiVolume]:
    """Return the volumes in order of their number; `ParseError` where there are none."""
    block = _block_size(source)
    found: dict[int, dict[int, _Block]] = {}
    for place in range(0, min(source.size, block * MAX_BLOCKS), block):
        head = source.read_at(place, 64)
        if head[:4] != b"UBI#" or len(head) < 64:
            continue  # free or bad
        header_at, data_at = struct.unpack_from(">II", head, 16)
        if not 64 <= header_at < data_at < block:
            continue
        _take(source, place, header_at, data_at, block, found)
    layout = found.pop(LAYOUT_VOLUME, {})
    names = _names(source, layout)
    volumes = [
        UbiVolume(names.get(number, f"volume {number}"), _Volume(source, blocks))
        for number, blocks in sorted(found.items())[:MAX_VOLUMES]
    ]
    if not volumes:
        raise ParseError("image.damaged", cause="no UBI volume holds a block")
    return volumes


def _block_size(source: Source) -> int:
    """Return the size of an erase block: the distance between the first two headers."""
    size = MIN_BLOCK
    while size <= MAX_BLOCK and size < source.size:
        if source.read_at(size, 4) == b"UBI#":
            return size
        size *= 2
    return min(max(source.size, MIN_BLOCK), MAX_BLOCK)


def _take(
    source: Source, place: int, header_at: int, data_at: int, block: int, found: dict[int, dict[int, _Block]]
) -> None:  # fmt: skip
    """Enter one erase block under its volume and number, unless a newer copy is there."""
    head = source.read_at(place + header_at, 64)
    if head[:4] != b"UBI!" or len(head) < 64:
        return
    volume, number, _, size, _, pad = struct.unpack_from(">IIIIII", head, 8)
    sequence = int.from_bytes(head[40:48], "big")
    if number >= MAX_BLOCKS or pad >= block - data_at:
        return
    room = block - data_at - pad
    if head[5] == _STATIC:
        room = min(size, room)
    blocks = found.setdefault(volume, {})
    if number not in blocks or blocks[number].sequence < sequence:
        blocks[number] = _Block(sequence, place + data_at, room)


def _names(source: Source, layout: dict[int, _Block]) -> dict[int, str]:
    names: dict[int, str] = {}
    for copy in layout.values():
        for number in range(MAX_VOLUMES):
            record = source.read_at(copy.place + number * RECORD, RECORD)
            length = int.from_bytes(record[14:16], "big")
            if record[:4].strip(b"\0") and 0 < length <= 127:
                names.setdefault(number, printable(record[16 : 16 + length].decode("utf-8", "replace")))
    return names


class _Volume:
    """A volume's bytes; blocks that were never written read as erased flash does."""

    def __init__(self, source: Source, blocks: dict[int, _Block]) -> None:
        last = max(blocks)
        self._source = source
        self._blocks = blocks
        self._step = max(block.size for block in blocks.values())
        self.size = last * self._step + blocks[last].size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes, block by block."""
        return read_in_steps(self.size, self._step, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        block = self._blocks.get(index)
        if block is None:
            return b"\xff" * number
        return SliceSource(self._source, block.place, block.size).read_at(inside, number).ljust(number, b"\xff")
