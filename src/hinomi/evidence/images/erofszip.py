"""Compressed files of EROFS: which logical clusters are packed where, and their content.

Format: the kernel's erofs_fs.h and zmap.c. A file is cut into logical clusters; a cluster's entry says where in it a
packed extent begins ("head"), or how far back that head is. Entries are 8 bytes, or packed several to a word.
"""

from __future__ import annotations

import lzma
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hinomi.evidence.archives.blocks import deflate_block, zstd_block
from hinomi.evidence.archives.lz4 import decompress_block
from hinomi.evidence.archives.source import SliceSource, Source
from hinomi.evidence.images.runs import read_pieces
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

MAX_CLUSTERS = 1 << 22
MAX_PACKED = 1 << 20
MAX_PLAIN = 16 << 20
_PLAIN, _HEAD1, _NOT_HEAD, _HEAD2 = range(4)
_COUNT = 1 << 11  # in an entry's distance: it is a number of blocks instead
_COMPACT_2B, _BIG1, _BIG2, _INLINE, _INTERLACED, _FRAGMENT = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
_ALL_IN_FRAGMENT = 0x80


class ZipLayout(NamedTuple):
    """Where a compressed file's map is and how it is to be read. Sizes in bytes."""

    at: int  # the end of its inode and attributes
    size: int
    block: int
    compact: bool
    padded: bool  # packed data stand at the end of their blocks


class _Entry(NamedTuple):
    kind: int
    offset: int  # of a head in its cluster
    block: int
    blocks: int  # of a packed extent, 0 where not said


class _Extent(NamedTuple):
    start: int
    kind: int
    place: int
    packed: int


class _Map(NamedTuple):
    advise: int
    algorithms: int
    cluster: int  # bits
    first: int  # where the entries begin
    inline: int  # bytes of the last extent that stand behind the entries
    fragment: int


def zipped_content(source: Source, layout: ZipLayout, fragments: Callable[[], Source]) -> Source:
    """Return a compressed file's content; `fragments` opens the file that holds tails. `ParseError` on damage."""
    at = -(-layout.at // 8) * 8
    head = source.read_at(at, 8)
    if len(head) < 8:
        raise ParseError("image.truncated", cause="EROFS map")
    if head[7] & _ALL_IN_FRAGMENT:
        place = int.from_bytes(head, "little") & ~(1 << 63)
        return SliceSource(fragments(), place, layout.size)
    fragment, inline = int.from_bytes(head[:4], "little"), int.from_bytes(head[2:4], "little")
    advise = int.from_bytes(head[4:6], "little")
    bits = layout.block.bit_length() - 1 + (head[7] & 7)
    first = at + 8 if layout.compact else at + 16
    entries = _Map(advise, head[6], bits, first, inline if advise & _INLINE else 0, fragment)
    if -(-layout.size >> bits) > MAX_CLUSTERS:
        raise ParseError("image.damaged", cause="too many EROFS clusters")
    tail = fragments() if advise & _FRAGMENT else None
    return _Content(source, layout, entries, tail)


class _Content:
    """A compressed file, extent by extent."""

    def __init__(self, source: Source, layout: ZipLayout, entries: _Map, fragments: Source | None) -> None:
        self.size = layout.size
        self._source = source
        self._layout = layout
        self._map = entries
        self._fragments = fragments
        self._end = 0  # where the map ends
        read = _compact_entries if layout.compact else _full_entries
        self._extents = list(self._gather(read(source, layout, entries)))
        if not self._extents or self._extents[0].start:
            raise ParseError("image.damaged", cause="EROFS map begins without a head")
        self._starts = [extent.start for extent in self._extents]
        self._plain: Kept[bytes] = Kept(4)

    def _gather(self, entries: Iterator[_Entry]) -> Iterator[_Extent]:
        """Yield packed extents: a head with the number of blocks that the entry behind it may say."""
        head: _Extent | None = None
        for index, entry in enumerate(entries):
            if entry.kind == _NOT_HEAD:
                if entry.blocks and head is not None:
                    head = head._replace(packed=entry.blocks * self._layout.block)
                continue
            if head is not None:
                yield head
            start = (index << self._map.cluster) + entry.offset
            head = _Extent(start, entry.kind, entry.block * self._layout.block, 1 << self._map.cluster)
        if head is not None and head.start < self.size:
            yield head

    def read_at(self, offset: int, length: int) -> bytes:
        return read_pieces(self._piece, self.size, offset, length)

    def _piece(self, offset: int, length: int) -> bytes:
        index = bisect_right(self._starts, offset) - 1
        following = self._starts[index + 1] if index + 1 < len(self._starts) else self.size
        extent = self._extents[index]
        inside, number = offset - extent.start, min(length, following - offset)
        last = index == len(self._extents) - 1
        if last and self._fragments is not None:
            data = self._fragments.read_at(self._map.fragment + inside, number)
        else:
            size = following - extent.start
            plain = self._plain.get(index, lambda: self._unpack(extent, size, last and bool(self._map.inline)))
            data = plain[inside : inside + number]
        if len(data) < number:
            raise ParseError("image.damaged", cause="EROFS extent is too short")
        return data

    def _unpack(self, extent: _Extent, size: int, inline: bool) -> bytes:
        if size > MAX_PLAIN or extent.packed > MAX_PACKED:
            raise ParseError("image.damaged", cause="EROFS extent")
        if inline:
            raw = self._source.read_at(_map_end(self._layout, self._map), self._map.inline)
        else:
            raw = self._source.read_at(extent.place, extent.packed)
        if extent.kind == _PLAIN:
            return self._stored(raw, extent.start, size)
        algorithm = self._map.algorithms >> 4 if extent.kind == _HEAD2 else self._map.algorithms & 15
        if algorithm not in _ALGORITHMS:
            raise ParseError("image.unsupported", cause=f"EROFS algorithm {algorithm}")
        return _ALGORITHMS[algorithm](raw.lstrip(b"\0") if self._layout.padded else raw, size)

    def _stored(self, raw: bytes, start: int, size: int) -> bytes:
        if not self._map.advise & _INTERLACED:
            return raw[:size]
        turn = start % self._layout.block  # the bytes stand where they would in an unpacked file's block
        return (raw[turn:] + raw[:turn])[:size]


def _lz4(raw: bytes, size: int) -> bytes:
    return decompress_block(raw, size, partly=True)


def _micro_lzma(raw: bytes, size: int) -> bytes:
    """LZMA without header: the inverted properties stand in place of the first byte, which is always zero."""
    rest, lc = divmod(~raw[0] & 0xFF if raw else 255, 9)
    pb, lp = divmod(rest, 5)
    if pb > 4 or lc + lp > 4:
        raise ParseError("image.damaged", cause="EROFS LZMA properties")
    chain = [{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": 8 << 20}]
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain).decompress(b"\0" + raw[1:], size)
    except (lzma.LZMAError, EOFError) as error:
        raise ParseError("image.damaged", cause=str(error)) from error


_ALGORITHMS: dict[int, Callable[[bytes, int], bytes]] = {0: _lz4, 1: _micro_lzma, 2: deflate_block, 3: zstd_block}


# --- the map ----------------------------------------------------------------------------------------------------------


def _full_entries(source: Source, layout: ZipLayout, entries: _Map) -> Iterator[_Entry]:
    count = -(-layout.size >> entries.cluster)
    raw = source.read_at(entries.first, count * 8)
    for kind, offset, word in struct.iter_unpack("<HHI", raw[: len(raw) // 8 * 8]):
        if kind & 3 == _NOT_HEAD:
            yield _Entry(_NOT_HEAD, 0, 0, word & (_COUNT - 1) if word & _COUNT else 0)
        else:
            yield _Entry(kind & 3, offset, word, 0)


def _packs(layout: ZipLayout, entries: _Map) -> Iterator[tuple[int, int, int]]:
    """Yield (where, bytes of an entry, entries) of the stretches: four bytes up to a boundary, two, four again."""
    total = -(-layout.size >> entries.cluster)
    lead = min((32 - entries.first % 32) // 4 & 7, total)
    small = (total - lead) // 16 * 16 if entries.advise & _COMPACT_2B else 0
    yield entries.first, 4, lead
    yield entries.first + lead * 4, 2, small
    yield entries.first + lead * 4 + small * 2, 4, total - lead - small


def _map_end(layout: ZipLayout, entries: _Map) -> int:
    """Return where the last extent stands if it is kept behind the map."""
    if not layout.compact:
        return entries.first + 8 * -(-layout.size >> entries.cluster)
    end = entries.first
    for at, width, count in _packs(layout, entries):
        if count:
            end = at + -(-count * width // (32 if width == 2 else 8)) * (32 if width == 2 else 8)
    return end


def _compact_entries(source: Source, layout: ZipLayout, entries: _Map) -> Iterator[_Entry]:
    for at, width, count in _packs(layout, entries):
        if (width == 2 and entries.cluster > 12) or entries.cluster > 14:
            raise ParseError("image.unsupported", cause="EROFS clusters")
        per = 16 if width == 2 else 2
        raw = source.read_at(at, -(-count // per) * per * width)
        for start in range(0, count, per):
            pack = raw[start * width : (start + per) * width]
            yield from _pack(pack, per, min(per, count - start), entries)


def _pack(pack: bytes, per: int, count: int, entries: _Map) -> Iterator[_Entry]:
    """Yield the entries of one pack: bit fields, then the block before its first head's."""
    low = max(entries.cluster, 12)
    width = (len(pack) - 4) * 8 // per
    fields = int.from_bytes(pack[:-4], "little")
    big = bool(entries.advise & (_BIG1 | _BIG2))
    block = int.from_bytes(pack[-4:], "little") + (0 if big else 1)
    for index in range(count):
        field = fields >> (index * width)
        value, kind = field & ((1 << low) - 1), field >> low & 3
        if kind != _NOT_HEAD:
            yield _Entry(kind, value, block, 0)
            block += 1
            continue
        blocks = value & (_COUNT - 1) if value & _COUNT else 0
        if blocks:  # of the head before, which counted as one if it stands in this pack
            block += blocks - (1 if index else 0)
        yield _Entry(_NOT_HEAD, 0, 0, blocks)
