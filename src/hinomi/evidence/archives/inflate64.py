"""Deflate64 (zip method 9), which the standard library lacks: deflate with a 64 KiB window and longer matches.

Written from the public description of the format (RFC 1951 plus APPNOTE's method 9: distance codes 30 and 31, and
length code 285 with 16 extra bits above 3).
"""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.model.errors import ParseError

WINDOW = 1 << 16
_LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115]
_LENGTH_BASE += [131, 163, 195, 227, 3]
_LENGTH_EXTRA = [0] * 8 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [16]
_DISTANCE_EXTRA = [0, 0, 0, 0] + [n // 2 - 1 for n in range(4, 32)]
_DISTANCE_BASE = [1, 2, 3, 4]
for _code in range(4, 32):
    _DISTANCE_BASE.append(_DISTANCE_BASE[-1] + (1 << _DISTANCE_EXTRA[_code - 1]))
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

Table = tuple[int, list[int]]
"""Longest code in bits, and for every value of so many next bits: symbol << 4 | code length (0: no such code)."""


class _Bits:
    """Bits of the packed data, least significant first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._hold = 0
        self._count = 0

    def _fill(self) -> None:
        piece = self._data[self._position : self._position + 6]
        self._hold |= int.from_bytes(piece, "little") << self._count
        self._position += len(piece)
        self._count += 8 * len(piece)

    def take(self, count: int) -> int:
        if self._count < count:
            self._fill()
            if self._count < count:
                raise ParseError("archive.deflate64", cause="packed data ends early")
        value = self._hold & ((1 << count) - 1)
        self._hold >>= count
        self._count -= count
        return value

    def align(self) -> None:
        self.take(self._count & 7)

    def symbol(self, table: Table) -> int:
        width, values = table
        if self._count < width:
            self._fill()
        value = values[self._hold & ((1 << width) - 1)]
        length = value & 15
        if not length or length > self._count:
            raise ParseError("archive.deflate64", cause="no such code")
        self._hold >>= length
        self._count -= length
        return value >> 4


def inflate64(data: bytes) -> Iterator[bytes]:
    """Yield the plain bytes in blocks; `ParseError` on damage. Slow (some MB/s), for rare members."""
    bits, out = _Bits(data), bytearray()
    done = 0
    last = False
    while not last:
        last, kind = bool(bits.take(1)), bits.take(2)
        if kind == 3:
            raise ParseError("archive.deflate64", cause="unknown block type")
        pieces = _stored(bits, out) if kind == 0 else _coded(bits, out, *(_fixed() if kind == 1 else _dynamic(bits)))
        for _ in pieces:
            if len(out) > 2 * WINDOW:
                yield bytes(out[done:])
                del out[:-WINDOW]
                done = len(out)
    yield bytes(out[done:])


def _stored(bits: _Bits, out: bytearray) -> Iterator[None]:
    bits.align()
    length = bits.take(16)
    bits.take(16)
    for _ in range(length):
        out.append(bits.take(8))
    yield


def _coded(bits: _Bits, out: bytearray, literals: Table, distances: Table) -> Iterator[None]:
    while (symbol := bits.symbol(literals)) != 256:
        if symbol < 256:
            out.append(symbol)
            continue
        if symbol > 285:
            raise ParseError("archive.deflate64", cause="bad length code")
        length = _LENGTH_BASE[symbol - 257] + bits.take(_LENGTH_EXTRA[symbol - 257])
        code = bits.symbol(distances)
        distance = _DISTANCE_BASE[code] + bits.take(_DISTANCE_EXTRA[code])
        if distance > len(out):
            raise ParseError("archive.deflate64", cause="distance before the start")
        _copy(out, distance, length)
        yield
    yield


def _copy(out: bytearray, distance: int, length: int) -> None:
    block = out[-distance:] if length >= distance else out[-distance : length - distance or None]
    out += (block * (length // distance + 1))[:length]


def _table(lengths: list[int]) -> Table:
    width = max(lengths, default=0) or 1
    values = [0] * (1 << width)
    code = 0
    for length in range(1, width + 1):
        for symbol, wanted in enumerate(lengths):
            if wanted == length:
                if code >> length:
                    raise ParseError("archive.deflate64", cause="too many codes")
                start = int(f"{code:0{length}b}"[::-1], 2)
                for index in range(start, 1 << width, 1 << length):
                    values[index] = symbol << 4 | length
                code += 1
        code <<= 1
    return width, values


def _fixed() -> tuple[Table, Table]:
    return _table([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8), _table([5] * 32)


def _dynamic(bits: _Bits) -> tuple[Table, Table]:
    literals, distances, count = bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4
    lengths = [0] * 19
    for index in range(count):
        lengths[_ORDER[index]] = bits.take(3)
    table = _table(lengths)
    wanted: list[int] = []
    while len(wanted) < literals + distances:
        wanted += _repeat(bits, bits.symbol(table), wanted)
    return _table(wanted[:literals]), _table(wanted[literals : literals + distances])


def _repeat(bits: _Bits, symbol: int, before: list[int]) -> list[int]:
    if symbol < 16:
        return [symbol]
    if symbol == 16:
        if not before:
            raise ParseError("archive.deflate64", cause="repeats nothing")
        return [before[-1]] * (bits.take(2) + 3)
    return [0] * (bits.take(3) + 3 if symbol == 17 else bits.take(7) + 11)
