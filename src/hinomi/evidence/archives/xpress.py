"""XPRESS with Huffman codes, by which Windows compresses its own files. Format: [MS-XCA] 2.2."""

from __future__ import annotations

from hinomi.evidence.archives.prefixcodes import LENGTH, SHIFT, code_table
from hinomi.model.errors import ParseError

TABLE = 256  # bytes of code lengths, two symbols a byte
WIDTH = 15
_LONG = 15  # a length that goes on in the next byte


def xpress_block(packed: bytes, size: int) -> bytes:
    """Return the `size` plain bytes of one block; `ParseError` where they are not there."""
    if len(packed) < TABLE + 4:
        raise ParseError("archive.truncated", cause="XPRESS block")
    lengths = [half for byte in packed[:TABLE] for half in (byte & 15, byte >> 4)]
    reader = _Reader(packed)
    table = code_table(lengths, WIDTH)
    out = bytearray()
    while len(out) < size:
        symbol = reader.symbol(table)
        if symbol < 256:
            out.append(symbol)
            continue
        length = reader.length(symbol & 15)
        far = symbol - 256 >> 4
        copy_match(out, (1 << far) + reader.bits(far), min(length, size - len(out)))
    return bytes(out)


class _Reader:
    """Bits in little-endian words of 16, the highest first, with whole bytes in between: always 16 bits ahead."""

    __slots__ = ("_at", "_bits", "_data", "_more")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._bits = int.from_bytes(data[TABLE : TABLE + 2], "little") << 16
        self._bits |= int.from_bytes(data[TABLE + 2 : TABLE + 4], "little")
        self._more = 16
        self._at = TABLE + 4

    def symbol(self, table: list[int]) -> int:
        entry = table[self._bits >> 17]
        if not entry or self._at > len(self._data) + 4:
            raise ParseError("archive.damaged", cause="XPRESS code")
        self._skip(entry & LENGTH)
        return entry >> SHIFT

    def bits(self, number: int) -> int:
        value = self._bits >> 32 - number
        self._skip(number)
        return value

    def _skip(self, number: int) -> None:
        self._bits = self._bits << number & 0xFFFFFFFF
        self._more -= number
        if self._more < 0:
            self._bits |= int.from_bytes(self._data[self._at : self._at + 2], "little") << -self._more
            self._at += 2
            self._more += 16

    def length(self, short: int) -> int:
        """Return a match's length, of which the code holds at most 15."""
        if short < _LONG:
            return short + 3
        length = self._take(1)
        if length < 255:
            return length + _LONG + 3
        length = self._take(2) or self._take(4)
        if length < _LONG:
            raise ParseError("archive.damaged", cause="XPRESS length")
        return length + 3

    def _take(self, number: int) -> int:
        self._at += number
        if self._at > len(self._data):
            raise ParseError("archive.truncated", cause="XPRESS length")
        return int.from_bytes(self._data[self._at - number : self._at], "little")


def copy_match(out: bytearray, back: int, length: int) -> None:
    """Repeat what stands `back` bytes before the end; it may run into itself."""
    start = len(out) - back
    if start < 0:
        raise ParseError("archive.damaged", cause="match before the beginning")
    if back >= length:
        out += out[start : start + length]
    else:
        piece = out[start:]
        out += (piece * (length // back + 1))[:length]
