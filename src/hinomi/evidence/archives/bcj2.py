"""BCJ2: x86 code packed as four streams, with the targets of calls and jumps made absolute apart.

Format: Bcj2.c of the LZMA SDK (public domain).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.archives.source import Stream
from hinomi.model.errors import ParseError

_CALL, _JUMP = 0xE8, 0xE9
_BRANCH = re.compile(rb"[\xe8\xe9]|(?<=\x0f)[\x80-\x8f]", re.DOTALL)
_TOTAL_BITS, _MOVE_BITS = 11, 5
_TOP = 1 << 24
_WORD = 0xFFFFFFFF


class _Bits:
    """The range decoder that says of each branch whether its target was moved."""

    def __init__(self, stream: Stream) -> None:
        self._bytes = (byte for chunk in stream.chunks() for byte in chunk)
        self._odds = [1 << (_TOTAL_BITS - 1)] * 258
        self._range, self._code = _WORD, 0
        for _ in range(5):
            self._code = (self._code << 8 | self._byte()) & _WORD

    def _byte(self) -> int:
        byte = next(self._bytes, None)
        if byte is None:
            raise ParseError("archive.truncated", cause="BCJ2 data ends early")
        return byte

    def next(self, place: int) -> bool:
        odds = self._odds[place]
        bound = (self._range >> _TOTAL_BITS) * odds
        if moved := self._code >= bound:
            self._range, self._code = self._range - bound, self._code - bound
            self._odds[place] = odds - (odds >> _MOVE_BITS)
        else:
            self._range = bound
            self._odds[place] = odds + ((1 << _TOTAL_BITS) - odds >> _MOVE_BITS)
        if self._range < _TOP:
            self._range, self._code = self._range << 8 & _WORD, (self._code << 8 | self._byte()) & _WORD
        return moved


def bcj2(main: Stream, calls: Stream, jumps: Stream, bits: Stream, size: int) -> Iterator[bytes]:
    """Yield `size` plain bytes; `ParseError` where one of the streams ends early."""
    decoder = _Bits(bits)
    made, before = 0, 0  # bytes given, and the last of them
    for data in main.chunks():
        position = 0
        while position < len(data) and made < size:
            branch = _branch(before, data, position)
            piece = data[position : branch + 1][: size - made]
            yield piece
            made, position = made + len(piece), branch + 1
            if made == size or branch == len(data):
                before = piece[-1]
                continue
            before = data[branch - 1] if len(piece) > 1 else before
            moved = decoder.next(_place(data[branch], before))
            before = data[branch]
            if moved:
                target = _target(calls if before == _CALL else jumps, made)
                yield target[: size - made]
                made, before = min(size, made + 4), target[3]
    if made < size:
        raise ParseError("archive.truncated", cause="BCJ2 data ends early")


def _branch(before: int, data: bytes, position: int) -> int:
    """Return where the next branch stands in `data` from `position`, its length for none."""
    if before == 0x0F and data[position] & 0xF0 == 0x80:
        return position
    found = _BRANCH.search(data, position)
    return found.start() if found else len(data)


def _place(branch: int, before: int) -> int:
    return before if branch == _CALL else 256 if branch == _JUMP else 257


def _target(stream: Stream, made: int) -> bytes:
    word = stream.read(4)
    if len(word) < 4:
        raise ParseError("archive.truncated", cause="BCJ2 data ends early")
    return ((int.from_bytes(word, "big") - (made + 4)) & _WORD).to_bytes(4, "little")
