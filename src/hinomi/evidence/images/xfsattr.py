"""Extended attributes of XFS: in the inode, or in leaves of their own. Format: as for `xfs`."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from hinomi.evidence.archives.source import Source

MAX_ATTRIBUTES = 256
MAX_VALUE = 1 << 16
_LOCAL, _ROOT, _SECURE, _PARENT, _INCOMPLETE = 0x01, 0x02, 0x04, 0x08, 0x80


def short_attributes(body: bytes) -> dict[str, bytes]:
    """Return the attributes kept in an inode."""
    found: dict[str, bytes] = {}
    at = 4
    for _ in range(body[2] if len(body) > 4 else 0):
        if at + 3 > len(body):
            break
        length, size, flags = body[at : at + 3]
        name = body[at + 3 : at + 3 + length]
        _put(found, flags, name, body[at + 3 + length : at + 3 + length + size])
        at += 3 + length + size
    return found


def leaf_attributes(area: Source, block_size: int, checked: bool) -> dict[str, bytes]:
    """Return the attributes of an attribute fork; `checked` says that blocks have the longer heads of version 5."""
    found: dict[str, bytes] = {}
    for at in range(0, area.size, block_size):
        block = area.read_at(at, block_size)
        if block[8:10] in (b"\xfb\xee", b"\x3b\xee"):
            for flags, name, value in _leaf(block, 80 if checked else 32):
                if isinstance(value, bytes):
                    _put(found, flags, name, value)
                else:
                    _put(found, flags, name, _elsewhere(area, *value, block_size, checked))
    return found


def _leaf(block: bytes, head: int) -> Iterator[tuple[int, bytes, bytes | tuple[int, int]]]:
    """Yield (flags, name, value or its (block, size))."""
    count = int.from_bytes(block[56:58] if head == 80 else block[12:14], "big")
    for at in range(head, min(head + 8 * count, len(block) - 7), 8):
        place, flags = struct.unpack_from(">HB", block, at + 4)
        body = block[place:]
        if flags & _LOCAL and len(body) > 3:
            size, length = struct.unpack_from(">HB", body)
            yield flags, body[3 : 3 + length], body[3 + length : 3 + length + size]
        elif len(body) > 9:
            where, size, length = struct.unpack_from(">IIB", body)
            yield flags, body[9 : 9 + length], (where, size)


def _elsewhere(area: Source, block: int, size: int, block_size: int, checked: bool) -> bytes:
    """Return a value kept in blocks of its own, which have heads in version 5."""
    size = min(size, MAX_VALUE)
    if not checked:
        return area.read_at(block * block_size, size)
    room = block_size - 56
    parts = [area.read_at((block + n) * block_size + 56, room) for n in range(-(-size // room))]
    return b"".join(parts)[:size]


def _put(found: dict[str, bytes], flags: int, name: bytes, value: bytes) -> None:
    if flags & (_PARENT | _INCOMPLETE) or len(found) >= MAX_ATTRIBUTES:
        return
    prefix = "trusted." if flags & _ROOT else "security." if flags & _SECURE else "user."
    found[prefix + name.decode("utf-8", "replace")] = value
