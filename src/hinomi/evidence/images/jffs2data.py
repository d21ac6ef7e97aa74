"""A file of JFFS2 from its pieces: newer ones lie over older ones, each compressed for itself."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

from hinomi.evidence.archives.blocks import zlib_block
from hinomi.evidence.archives.lzo import lzo_block
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.runs import read_pieces
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

MAX_PIECE = 1 << 20


class Piece(NamedTuple):
    """One node's data: `plain` bytes of the file from `offset`, kept as `packed` bytes at `place`."""

    version: int
    offset: int
    plain: int
    place: int
    packed: int
    method: int


class _Part(NamedTuple):
    """A stretch in which one piece is seen."""

    start: int
    end: int
    piece: Piece


class PiecedContent:
    """A file's content; what no piece covers is zeros."""

    def __init__(self, source: Source, pieces: Iterable[Piece], size: int) -> None:
        self.size = size
        self._source = source
        self._parts = _seen(list(pieces))
        self._starts = [part.start for part in self._parts]
        self._plain: Kept[bytes] = Kept(32)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes, stretch by stretch."""
        return read_pieces(self._piece, self.size, offset, length)

    def _piece(self, offset: int, length: int) -> bytes:
        index = bisect_right(self._starts, offset) - 1
        if index >= 0 and offset < self._parts[index].end:
            part = self._parts[index]
            plain = self._plain.get(part.piece.place, lambda: self._unpack(part.piece))
            inside = offset - part.piece.offset
            return plain[inside : inside + min(length, part.end - offset)]
        following = self._starts[index + 1] if index + 1 < len(self._starts) else self.size
        return bytes(min(length, following - offset))

    def _unpack(self, piece: Piece) -> bytes:
        if piece.method not in _UNPACK:
            raise ParseError("image.unsupported", cause=f"JFFS2 compression {piece.method}")
        if piece.plain > MAX_PIECE or piece.packed > MAX_PIECE:
            raise ParseError("image.damaged", cause="JFFS2 node")
        plain = _UNPACK[piece.method](self._source.read_at(piece.place, piece.packed), piece.plain)
        if len(plain) < piece.plain:
            raise ParseError("image.damaged", cause="JFFS2 node")
        return plain


def _seen(pieces: list[Piece]) -> list[_Part]:
    """Return which piece is seen where: the newest of those that cover a byte."""
    starts = sorted(pieces, key=lambda piece: piece.offset)
    edges = sorted({edge for piece in pieces for edge in (piece.offset, piece.offset + piece.plain)})
    covering: list[tuple[int, int, Piece]] = []
    parts: list[_Part] = []
    taken = 0
    for start, end in pairwise(edges):
        while taken < len(starts) and starts[taken].offset <= start:
            heapq.heappush(covering, (-starts[taken].version, taken, starts[taken]))
            taken += 1
        while covering and covering[0][2].offset + covering[0][2].plain <= start:
            heapq.heappop(covering)
        if covering:
            parts.append(_Part(start, end, covering[0][2]))
    return parts


def _rtime(raw: bytes, limit: int) -> bytes:
    """Each byte is followed by how many bytes to repeat from behind its last occurrence."""
    last = [0] * 256
    out = bytearray()
    for at in range(0, len(raw) - 1, 2):
        if len(out) >= limit:
            break
        value, count = raw[at], raw[at + 1]
        out.append(value)
        before, last[value] = last[value], len(out)
        for index in range(before, before + count):
            out.append(out[index])
    return bytes(out[:limit])


_UNPACK: dict[int, Callable[[bytes, int], bytes]] = {
    0: lambda raw, limit: raw[:limit],
    1: lambda raw, limit: bytes(limit),
    2: _rtime,
    6: zlib_block,
    7: lzo_block,
}
