"""LZ4 frames (and the legacy form) without a library. Format: lz4_Frame_format.md and lz4_Block_format.md (BSD)."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.archives.source import Stream
from hinomi.model.errors import ParseError

_BLOCK_SIZES = {4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20}
_LEGACY_BLOCK = 8 << 20
_WINDOW = 64 << 10


def read_lz4(stream: Stream) -> Iterator[bytes]:
    """Yield the plain bytes of one or more frames; `ParseError` on damage."""
    while magic := stream.read(4):
        if magic == b"\x04\x22\x4d\x18":
            yield from _frame(stream)
        elif magic == b"\x02\x21\x4c\x18":
            yield from _legacy(stream)
        elif len(magic) == 4 and magic[1:] == b"\x2a\x4d\x18" and magic[0] & 0xF0 == 0x50:
            stream.skip(_number(stream, 4))
        else:
            return  # what follows the last frame is no lz4


def _number(stream: Stream, size: int) -> int:
    data = stream.read(size)
    if len(data) < size:
        raise ParseError("archive.lz4", cause="ends early")
    return int.from_bytes(data, "little")


def _frame(stream: Stream) -> Iterator[bytes]:
    flags, descriptor = _number(stream, 1), _number(stream, 1)
    stream.skip((8 if flags & 0x08 else 0) + (4 if flags & 0x01 else 0) + 1)
    limit = _BLOCK_SIZES.get(descriptor >> 4 & 7, 4 << 20)
    window = b""
    while size := _number(stream, 4):
        packed = stream.read(size & 0x7FFFFFFF) if size & 0x7FFFFFFF <= limit + 1024 else b""
        plain = packed if size & 0x80000000 else decompress_block(packed, limit, b"" if flags & 0x20 else window)
        if not plain:
            raise ParseError("archive.lz4", cause="bad block")
        yield plain
        window = (window + plain)[-_WINDOW:]
        stream.skip(4 if flags & 0x10 else 0)
    stream.skip(4 if flags & 0x04 else 0)


def _legacy(stream: Stream) -> Iterator[bytes]:
    while len(stream.peek(4)) == 4 and stream.peek(4) != b"\x02\x21\x4c\x18":
        size = _number(stream, 4)
        if size > _LEGACY_BLOCK + 65536:
            raise ParseError("archive.lz4", cause="bad block size")
        yield decompress_block(stream.read(size), _LEGACY_BLOCK, b"")


def decompress_block(packed: bytes, limit: int, window: bytes = b"", *, partly: bool = False) -> bytes:
    """Return the plain bytes of one block of at most `limit` bytes; `window` is what stood before it.

    More is damage, or cut off with `partly`: where a block's end is known from its plain size only.
    """
    out = bytearray(window)
    position, end = 0, len(packed)
    while position < end:
        token = packed[position]
        literals, position = _length(packed, position + 1, token >> 4)
        out += packed[position : position + literals]
        position += literals
        if position >= end or (partly and len(out) - len(window) >= limit):
            break
        distance = packed[position] | (packed[position + 1] << 8 if position + 1 < end else 0)
        length, position = _length(packed, position + 2, token & 15)
        if not 0 < distance <= len(out) or len(out) - len(window) > limit:
            raise ParseError("archive.lz4", cause="bad match")
        block = bytes(out[-distance:])
        out += (block * ((length + 4) // distance + 1))[: length + 4]
    return bytes(out[len(window) : len(window) + limit] if partly else out[len(window) :])


def _length(packed: bytes, position: int, value: int) -> tuple[int, int]:
    if value < 15:
        return value, position
    while position < len(packed):
        more = packed[position]
        position += 1
        value += more
        if more != 255:
            break
    return value, position
