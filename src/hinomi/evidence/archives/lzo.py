"""LZO1X blocks without a library, as squashfs, btrfs, jffs2 and UBIFS hold them.

Format: the kernel's Documentation/staging/lzo.rst (an instruction is a byte with the number of literals or the length
and distance of a match; two low bits of a match say how many literals follow it).
"""

from __future__ import annotations

from hinomi.model.errors import ParseError

_END = -1


def lzo_block(packed: bytes, limit: int) -> bytes:
    """Return the plain bytes of one block, at most `limit`; `ParseError` on damage."""
    try:
        return _Decoder(packed, limit).run()
    except IndexError:
        raise ParseError("archive.truncated", cause="LZO data ends early") from None


class _Decoder:
    def __init__(self, packed: bytes, limit: int) -> None:
        self._packed = packed
        self._limit = limit
        self._at = 0
        self._out = bytearray()

    def run(self) -> bytes:
        packed, after = self._packed, 0  # how many literals the last instruction left: 0 to 3, 4 for four and more
        if packed[0] > 17:
            after = min(packed[0] - 17, 4)
            self._at = 1
            self._literals(packed[0] - 17)
        while True:
            code = packed[self._at]
            self._at += 1
            if code < 16 and after == 0:
                self._literals(3 + (code or self._length(15)))
                after = 4
                continue
            length, distance, low = self._match(code, after)
            if distance == _END:
                return bytes(self._out)
            self._copy(length, distance)
            after = low & 3
            self._literals(after)

    def _match(self, code: int, after: int) -> tuple[int, int, int]:
        """Return (length, distance, byte whose two low bits count the literals that follow)."""
        if code >= 64:
            return (code >> 5) + 1, (self._byte() << 3) + (code >> 2 & 7) + 1, code
        if code >= 32:
            length = (code & 31 or self._length(31)) + 2
            word = self._word()
            return length, (word >> 2) + 1, word
        if code >= 16:
            length = (code & 7 or self._length(7)) + 2
            word = self._word()
            distance = ((code & 8) << 11) + (word >> 2)
            return length, distance + 16384 if distance else _END, word
        if after == 4:
            return 3, (self._byte() << 2) + (code >> 2) + 2049, code
        return 2, (self._byte() << 2) + (code >> 2) + 1, code

    def _byte(self) -> int:
        self._at += 1
        return self._packed[self._at - 1]

    def _word(self) -> int:
        return self._byte() | self._byte() << 8

    def _length(self, base: int) -> int:
        start = self._at
        while not self._packed[self._at]:
            self._at += 1
        return base + (self._at - start) * 255 + self._byte()

    def _literals(self, count: int) -> None:
        self._room(count)
        self._out += self._packed[self._at : self._at + count]
        self._at += count
        if self._at > len(self._packed):
            raise IndexError

    def _copy(self, length: int, distance: int) -> None:
        self._room(length)
        out = self._out
        if distance > len(out):
            raise ParseError("archive.damaged", cause="LZO distance")
        block = bytes(out[-distance:][:length])
        out += (block * (length // len(block) + 1))[:length]

    def _room(self, more: int) -> None:
        if len(self._out) + more > self._limit:
            raise ParseError("archive.damaged", cause="LZO block larger than said")
