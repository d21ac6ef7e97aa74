"""What a log or a rotated copy of it holds, compressed or not, against what is known of others: by digests only."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, BinaryIO

from hinomi.watch.baseline.compare import Values
from hinomi.watch.baseline.world import World

CHUNK = 1 << 18
MAX_UNPACKED = 4 << 30
MAX_GROWN = 1 << 16  # bytes that may be written to a log while it is read
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


def begins_with(
    path: bytes, candidates: Mapping[bytes, Values], world: World, *, packed: bool = False
) -> frozenset[bytes]:
    """Return the candidates whose whole content (`size`, `sha256`) is the beginning of what the file holds, unpacked.

    With `packed` also of the file as it is: a copy that is being compressed begins with what it was a moment ago.
    """
    sizes = sorted({values["size"] for values in candidates.values()})
    found: set[bytes] = set()
    for as_it_is in (False, True)[: (1 + packed) * bool(sizes)]:
        with suppress(*_BROKEN), world.reader.open(path) as file:
            digests = dict(_digests(file if as_it_is else _unpacked(file), sizes))
            found.update(p for p, values in candidates.items() if digests.get(values["size"]) == values["sha256"])
    return frozenset(found)


def is_copy_of(path: bytes, values: Values, others: Mapping[bytes, Values], world: World) -> bytes | None:
    """Return the other file that begins with all that this one holds, unpacked as far as it goes."""
    if not values["size"]:
        return min(others, default=None)
    size, digest = _whole(path, world)
    for other, held in others.items() if size else ():
        if held["size"] >= size and _beginning(other, size, world) == digest:
            return other
    return None


def grew_while_read(path: bytes, old: Values, world: World) -> bool:
    """Whether a file begins with what was read of it, that being some lines more than the size it had before.

    A log that is written while it is looked at has grown between the question for its size and the end of its reading.
    """
    made, left = hashlib.sha256(), old["size"]
    with suppress(*_BROKEN), world.reader.open(path) as file:
        while left > 0 and (data := file.read(min(CHUNK, left))):
            made.update(data)
            left -= len(data)
        for line in file.read(MAX_GROWN).splitlines(keepends=True):
            made.update(line)
            if made.digest() == old["sha256"]:
                return True
    return False


def _whole(path: bytes, world: World) -> tuple[int, bytes]:
    """Return size and SHA-256 of all that can be unpacked; a stream that ends too early ends there. 0: too much."""
    made, size = hashlib.sha256(), 0
    with suppress(*_BROKEN), world.reader.open(path) as file:
        for data in _pieces(_unpacked(file)):
            made.update(data)
            size += len(data)
            if size > MAX_UNPACKED:
                return 0, b""
    return size, made.digest()


def _pieces(content: Any) -> Iterator[bytes]:
    """Yield what can be had: a decompressor that fails has given nothing of its last piece, so pieces are small."""
    read = getattr(content, "read1", content.read)
    while data := read(1 << 13):
        yield data


def _beginning(path: bytes, size: int, world: World) -> bytes | None:
    with suppress(*_BROKEN), world.reader.open(path) as file:
        return dict(_digests(_unpacked(file), [size])).get(size)
    return None


def _digests(content: Any, sizes: list[int]) -> Iterable[tuple[int, bytes]]:
    """Yield (size, SHA-256 of that many first bytes) for ascending sizes, as far as the content goes."""
    made, at = hashlib.sha256(), 0
    for size in sizes:
        if size > MAX_UNPACKED:
            return
        while at < size:
            data = content.read(min(CHUNK, size - at))
            if not data:
                return
            made.update(data)
            at += len(data)
        yield size, made.digest()


def _unpacked(file: BinaryIO) -> Any:
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if magic.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if magic.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMAFile(file)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard

        return zstandard.ZstdDecompressor(max_window_size=128 << 20).stream_reader(file)
    return file
