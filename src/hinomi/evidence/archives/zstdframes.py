"""Zstandard frames as they lie in a stream, so that what follows them is not swallowed (format: RFC 8878, section 3).

A decoder reads ahead, and cannot say where its last frame ended: an initial RAM disk goes on after it.
"""

from __future__ import annotations

from hinomi.evidence.archives.source import Stream
from hinomi.model.errors import ParseError

MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE = frozenset(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))
_MAX_HEADER = 18
_ID_BYTES = (0, 1, 2, 4)
_SIZE_BYTES = (0, 2, 4, 8)
_CHECKSUM = 4
_RLE = 1


class FrameFeed:
    """A file for the decoder that ends where the frames end; it is given one header or block at a time."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._in_frame = False
        self._checksum = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next piece of the frames, whatever `size` asks for; nothing after the last of them."""
        if self._in_frame:
            return self._block()
        while self._stream.peek(4) in _SKIPPABLE:
            self._stream.skip(8 + int.from_bytes(self._stream.peek(8)[4:], "little"))
        return self._header() if self._stream.peek(4) == MAGIC else b""

    def _header(self) -> bytes:
        head = self._stream.peek(_MAX_HEADER)
        if len(head) < 6:
            raise ParseError("archive.truncated", cause="zstd frame header")
        descriptor = head[4]
        single = descriptor >> 5 & 1
        size = _SIZE_BYTES[descriptor >> 6] or single
        self._checksum = _CHECKSUM if descriptor & 4 else 0
        self._in_frame = True
        return self._stream.read(4 + 1 + (1 - single) + _ID_BYTES[descriptor & 3] + size)

    def _block(self) -> bytes:
        head = self._stream.peek(3)
        if len(head) < 3:
            raise ParseError("archive.truncated", cause="zstd data ends early")
        number = int.from_bytes(head, "little")
        last, kind, size = number & 1, number >> 1 & 3, number >> 3
        length = 3 + (1 if kind == _RLE else size) + (self._checksum if last else 0)
        data = self._stream.read(length)
        if len(data) < length:
            raise ParseError("archive.truncated", cause="zstd data ends early")
        self._in_frame = not last
        return data
