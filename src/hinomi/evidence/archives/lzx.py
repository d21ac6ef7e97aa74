"""LZX with a window of 32 KiB, as Windows compresses its own files and images (WIM). Format: [MS-PATCH], the WIM
format's notes of the wimlib project for what differs: sizes of blocks, and calls that are translated in every chunk.
"""

from __future__ import annotations

import struct
from itertools import accumulate

from hinomi.evidence.archives.prefixcodes import LENGTH, SHIFT, code_table
from hinomi.evidence.archives.xpress import copy_match
from hinomi.model.errors import ParseError

SLOTS = 30
_MAIN, _LENGTHS, _ALIGNED, _PRE = 256 + 8 * SLOTS, 249, 8, 20
_EXTRA = (0, 0, *(slot // 2 for slot in range(SLOTS - 2)))
_BASE = (0, *accumulate(1 << extra for extra in _EXTRA))
_CALLS_WITHIN = 12_000_000  # the file size that translated calls are taken to be in
_VERBATIM, _WITH_ALIGNED, _STORED = 1, 2, 3
_PAD = 16


def lzx_block(packed: bytes, size: int) -> bytes:
    """Return the `size` plain bytes of one chunk; `ParseError` where they are not there."""
    decoder = _Decoder(packed)
    while len(decoder.out) < size:
        decoder.block(size - len(decoder.out))
    return _untranslated(decoder.out)


class _Decoder:
    def __init__(self, packed: bytes) -> None:
        swapped = bytearray(len(packed) + len(packed) % 2 + _PAD)  # then the first bits are the highest of each byte
        swapped[: len(packed)] = packed
        swapped[::2], swapped[1::2] = swapped[1::2], swapped[::2]
        self._packed = packed
        self._stream = bytes(swapped)
        self._bit = 0
        self._end = len(packed) * 8
        self.out = bytearray()
        self._recent = [1, 1, 1]
        self._main = [0] * _MAIN
        self._long = [0] * _LENGTHS

    def _bits(self, number: int) -> int:
        at = self._bit >> 3
        window = int.from_bytes(self._stream[at : at + 5], "big")
        value = window >> 40 - (self._bit & 7) - number & (1 << number) - 1
        self._bit += number
        if self._bit > self._end + _PAD:
            raise ParseError("archive.truncated", cause="LZX data")
        return value

    def _symbol(self, table: list[int]) -> int:
        at = self._bit >> 3
        window = int.from_bytes(self._stream[at : at + 3], "big")
        entry = table[window >> 8 - (self._bit & 7) & 0xFFFF]
        self._bit += entry & LENGTH
        if not entry or self._bit > self._end + _PAD:
            raise ParseError("archive.damaged", cause="LZX code")
        return entry >> SHIFT

    def block(self, left: int) -> None:
        """Decode one block, of at most `left` bytes."""
        kind = self._bits(3)
        size = 1 << 15 if self._bits(1) else self._bits(16)
        if not 0 < size <= left:
            raise ParseError("archive.damaged", cause="LZX block")
        if kind == _STORED:
            self._stored(size)
        elif kind in (_VERBATIM, _WITH_ALIGNED):
            aligned = code_table([self._bits(3) for _ in range(_ALIGNED)], 16) if kind == _WITH_ALIGNED else None
            self._lengths(self._main, 0, 256)
            self._lengths(self._main, 256, _MAIN)
            self._lengths(self._long, 0, _LENGTHS)
            self._matches(code_table(self._main, 16), code_table(self._long, 16), aligned, size)
        else:
            raise ParseError("archive.damaged", cause="LZX block")

    def _stored(self, size: int) -> None:
        at = (self._bit // 16 + 1) * 2
        raw = self._packed[at : at + 12 + size]
        if len(raw) < 12 + size:
            raise ParseError("archive.truncated", cause="LZX data")
        self._recent = list(struct.unpack_from("<III", raw))
        self.out += raw[12:]
        self._bit = (at + 12 + size + size % 2) * 8

    def _lengths(self, lengths: list[int], start: int, end: int) -> None:
        """Read code lengths, which are told as differences to those of the block before."""
        table = code_table([self._bits(4) for _ in range(_PRE)], 16)
        while start < end:
            symbol = self._symbol(table)
            if symbol < 17:
                count, value = 1, (lengths[start] - symbol) % 17
            elif symbol < 19:
                count, value = (4 + self._bits(4) if symbol == 17 else 20 + self._bits(5)), 0
            else:
                count = 4 + self._bits(1)
                value = (lengths[start] - self._symbol(table)) % 17
            count = min(count, end - start)
            lengths[start : start + count] = [value] * count
            start += count

    def _matches(self, main: list[int], long: list[int], aligned: list[int] | None, size: int) -> None:
        out, symbol_of = self.out, self._symbol
        end = len(out) + size
        while len(out) < end:
            symbol = symbol_of(main)
            if symbol < 256:
                out.append(symbol)
                continue
            length = (symbol & 7) + 2
            if length == 9:
                length += symbol_of(long)
            copy_match(out, self._back(symbol - 256 >> 3, aligned), min(length, end - len(out)))

    def _back(self, slot: int, aligned: list[int] | None) -> int:
        """Return how far back a match lies: as one of the last three did, or told anew."""
        recent = self._recent
        if slot < 3:
            recent[0], recent[slot] = recent[slot], recent[0]
            return recent[0] or 1 << 30
        extra = _EXTRA[slot]
        if aligned is not None and extra >= 3:
            more = self._bits(extra - 3) << 3
            more += self._symbol(aligned)
        else:
            more = self._bits(extra)
        recent[:] = [_BASE[slot] + more - 2, recent[0], recent[1]]
        return recent[0]


def _untranslated(out: bytearray) -> bytes:
    """Put back the relative targets of x86 calls, which were made absolute before packing."""
    end = len(out) - 10
    at = out.find(b"\xe8", 0, max(0, end))
    while at >= 0:
        target = int.from_bytes(out[at + 1 : at + 5], "little", signed=True)
        if -at <= target < _CALLS_WITHIN:
            relative = target - at if target >= 0 else target + _CALLS_WITHIN
            out[at + 1 : at + 5] = (relative & 0xFFFFFFFF).to_bytes(4, "little")
        at = out.find(b"\xe8", at + 5, end)
    return bytes(out)
