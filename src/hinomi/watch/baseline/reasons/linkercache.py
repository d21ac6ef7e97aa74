"""The dynamic linker's cache: every library it names must be a sound file under the name it is asked by."""

from __future__ import annotations

import struct

from hinomi.model.errors import ParseError
from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.world import Reason, World

PATHS = (b"/etc/ld.so.cache", b"/etc/ld.so.cache~")
MAX_SIZE = 32 << 20
MAX_LIBRARIES = 200_000
_MAGIC = b"glibc-ld.so.cache1.1"
_OLD_MAGIC = b"ld.so-1.7.0\0"
_HEADER, _ENTRY = struct.Struct("<20sII"), struct.Struct("<iIIIQ")
_HEADER_SIZE = 48


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain the cache by reading it: nothing in it may lead to a library that is itself unexplained."""
    if difference.path not in PATHS or difference.kind != "file" or difference.new is None:
        return None
    data = world.read(difference.path, MAX_SIZE)
    try:
        libraries = read_cache(data or b"")
    except ParseError:
        return None
    for name, path in libraries:
        if path.rpartition(b"/")[2] != name or not world.is_sound(path):
            return None
    return Reason("linker-cache", "ldconfig")


def read_cache(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return (name, path) of every library (format: glibc's dl-cache.h); `ParseError` where it is no such file."""
    start = data.find(_MAGIC, 0, 1 << 20) if data.startswith(_OLD_MAGIC) else 0
    if start < 0 or data[start : start + len(_MAGIC)] != _MAGIC or len(data) < start + _HEADER_SIZE:
        raise ParseError("damaged", cause="no linker cache of the known format")
    _, count, _ = _HEADER.unpack_from(data, start)
    if count > MAX_LIBRARIES or start + _HEADER_SIZE + count * _ENTRY.size > len(data):
        raise ParseError("damaged", cause="more libraries than bytes")
    found = []
    for number in range(count):
        _, key, value, _, _ = _ENTRY.unpack_from(data, start + _HEADER_SIZE + number * _ENTRY.size)
        found.append((_string(data, start + key), _string(data, start + value)))
    return found


def _string(data: bytes, at: int) -> bytes:
    end = data.find(b"\0", at, at + 4096)
    if at >= len(data) or end < 0:
        raise ParseError("damaged", cause="a name outside the file")
    return data[at:end]
