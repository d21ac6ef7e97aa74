"""The lower half of btrfs: superblock, chunks, and the B-trees that all else is kept in.

Format: the kernel's btrfs_tree.h and the btrfs "On-disk format" page. Checksums are not verified.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from hinomi.evidence.archives.source import Source
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

SUPERBLOCK_AT = 0x10000
HEAD = 101
MAX_DEPTH = 8
MAX_CHUNKS = 1 << 20
MAX_NODES = 512  # parsed at once
_STRIPED = 0x8 | 0x40 | 0x80 | 0x100  # RAID 0, 10, 5 and 6
_CHUNK_ITEM, _LAST = 228, (1 << 64) - 1
_KEY = struct.Struct("<QBQ")


class Key(NamedTuple):
    """Where an item stands in a tree: object, type of item, and a third number that depends on the type."""

    object: int
    type: int
    offset: int


class _Node(NamedTuple):
    level: int
    keys: list[Key]
    places: list[tuple[int, int]]  # (offset, size) of items, (block, generation) of nodes below
    raw: bytes


class _Chunk(NamedTuple):
    logical: int
    length: int
    physical: int | None  # None: on another device, or striped
    striped: bool


class BtrfsDisk:
    """One device of a btrfs file system."""

    def __init__(self, source: Source) -> None:
        """Read the superblock and the chunk tree; `ParseError` where they are damaged."""
        s = source.read_at(SUPERBLOCK_AT, 4096)
        if len(s) < 4096 or s[64:72] != b"_BHRfS_M":
            raise ParseError("image.damaged", cause="no btrfs superblock")
        self.root, chunk_root, self.log_root = struct.unpack_from("<QQQ", s, 80)
        self.devices = int.from_bytes(s[136:144], "little")
        self.sector, self._node_size = struct.unpack_from("<II", s, 144)
        if not 4096 <= self._node_size <= 65536 or not 512 <= self.sector <= 65536:
            raise ParseError("image.damaged", cause="btrfs superblock")
        self._source = source
        self._device = int.from_bytes(s[201:209], "little")
        self._chunks: list[_Chunk] = []
        self._starts: list[int] = []
        self._nodes: Kept[_Node] = Kept(MAX_NODES)
        self._read_system_chunks(s[811 : 811 + min(2048, int.from_bytes(s[160:164], "little"))])
        for key, body in list(self.items(chunk_root, Key(0, 0, 0), Key(_LAST, 255, _LAST))):
            if key.type == _CHUNK_ITEM:
                self._add_chunk(key.offset, body)
        self._sort()

    # --- logical addresses ----------------------------------------------------------------------------------------

    def read_at(self, logical: int, length: int) -> bytes:
        """Return bytes at a logical address; `ParseError` where no chunk on this device holds them."""
        out: list[bytes] = []
        while length > 0:
            index = bisect_right(self._starts, logical) - 1
            chunk = self._chunks[index] if index >= 0 else None
            if chunk is None or logical >= chunk.logical + chunk.length:
                raise ParseError("image.damaged", cause="btrfs address outside every chunk")
            if chunk.physical is None:
                cause = "btrfs data striped over devices" if chunk.striped else "btrfs data on another device"
                raise ParseError("image.incomplete", cause=cause)
            inside = logical - chunk.logical
            number = min(length, chunk.length - inside)
            data = self._source.read_at(chunk.physical + inside, number)
            if len(data) < number:
                raise ParseError("image.truncated", cause="btrfs data outside the image")
            out.append(data)
            logical, length = logical + number, length - number
        return out[0] if len(out) == 1 else b"".join(out)

    def _read_system_chunks(self, array: bytes) -> None:
        """Read the chunks that hold the chunk tree itself."""
        at = 0
        while at + 17 + 48 <= len(array):
            key = Key(*_KEY.unpack_from(array, at))
            stripes = int.from_bytes(array[at + 61 : at + 63], "little")
            end = at + 17 + 48 + 32 * stripes
            self._add_chunk(key.offset, array[at + 17 : end])
            at = end
        self._sort()

    def _add_chunk(self, logical: int, body: bytes) -> None:
        if len(body) < 80 or len(self._chunks) >= MAX_CHUNKS:
            raise ParseError("image.damaged", cause="btrfs chunk")
        length, profile, stripes = struct.unpack_from("<Q16xQ12xH", body)
        striped = bool(profile & _STRIPED)
        listed = [struct.unpack_from("<QQ", body, 48 + 32 * n) for n in range(min(stripes, (len(body) - 48) // 32))]
        places = [place for device, place in listed if device == self._device and not striped]
        self._chunks.append(_Chunk(logical, length, places[0] if places else None, striped))

    def _sort(self) -> None:
        self._chunks = sorted({chunk.logical: chunk for chunk in self._chunks}.values())
        self._starts = [chunk.logical for chunk in self._chunks]

    # --- trees ----------------------------------------------------------------------------------------------------

    def items(self, root: int, first: Key, last: Key) -> Iterator[tuple[Key, bytes]]:
        """Yield the items of the tree at `root` with keys from `first` to `last`, in order."""
        yield from self._below(root, first, last, MAX_DEPTH)

    def _below(self, block: int, first: Key, last: Key, depth: int) -> Iterator[tuple[Key, bytes]]:
        node = self._nodes.get(block, lambda: self._parse(block))
        if node.level >= depth:
            raise ParseError("image.damaged", cause="btrfs tree")
        start = bisect_left(node.keys, first)
        if node.level and (start == len(node.keys) or node.keys[start] != first):
            start = max(0, start - 1)  # the node before may hold it
        for index in range(start, len(node.keys)):
            if node.keys[index] > last:
                return
            place, size = node.places[index]
            if node.level:
                yield from self._below(place, first, last, node.level)
            else:
                yield node.keys[index], node.raw[HEAD + place : HEAD + place + size]

    def _parse(self, block: int) -> _Node:
        raw = self.read_at(block, self._node_size)
        if int.from_bytes(raw[48:56], "little") != block:
            raise ParseError("image.damaged", cause="btrfs tree block")
        count, level = int.from_bytes(raw[96:100], "little"), raw[100]
        width = 33 if level else 25
        form = struct.Struct("<QBQQQ" if level else "<QBQII")
        count = min(count, (len(raw) - HEAD) // width)
        found = list(form.iter_unpack(raw[HEAD : HEAD + count * width]))
        return _Node(level, [Key(*item[:3]) for item in found], [item[3:] for item in found], raw)
