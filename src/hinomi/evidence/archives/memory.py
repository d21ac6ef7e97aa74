"""What a scan has seen before, by a keyed hash of the content: real servers hold the same jar a hundred times."""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Callable
from types import ModuleType

from hinomi.evidence.archives.visitor import Kept

PLACES = 1 << 20  # of innocent content; 8 bytes each
SECRET = 1040  # bytes
MAX_CONTAINERS = 20_000
MAX_KEPT = 20
SHELVES = 1 << 15  # of containers that all processes know; 256 bytes each
SHELF = 256
_HEAD = struct.Struct("<qIH")  # key, checksum, bytes that follow

Pack = Callable[[Kept], bytes]
Unpack = Callable[[bytes], Kept]


class Memory:
    """Remembers content already walked. What is innocent, and little that was found, is known to all processes that are
    forked from this one.

    Keys are hashes of the bytes, keyed at random for each scan: nobody outside can aim at a collision. Each key has one
    place in a table and pushes out the one before it. A word is written at once and a shelf has a checksum, so
    processes need no lock.
    """

    def __init__(self, pack: Pack | None = None, unpack: Unpack | None = None) -> None:
        """Prepare; `pack` and `unpack` turn what a container gave into bytes and back, for the other processes."""
        self.table = memoryview(mmap.mmap(-1, PLACES * 8))
        self.secret = os.urandom(SECRET)  # what the compiled core's hashes are keyed with
        self._innocent = self.table.cast("q")
        self._containers: dict[int, Kept] = {}
        self._shelves = memoryview(mmap.mmap(-1, SHELVES * SHELF))
        self._pack, self._unpack = pack, unpack

    def key_of(self, data: memoryview, core: ModuleType | None) -> int:
        """Return what stands for this content; `core` is the compiled one, or None for Python's own hash."""
        return int(core.fingerprint(data, self.secret)) if core is not None else hash(bytes(data))

    def is_innocent(self, key: int) -> bool:
        """Whether content of this key was looked at and is nothing."""
        return self._innocent[key % PLACES] == key != 0

    def add_innocent(self, key: int) -> None:
        """Remember content that is nothing."""
        self._innocent[key % PLACES] = key

    def kept(self, key: int) -> Kept | None:
        """Return what a container gave, in this process or another."""
        found = self._containers.get(key)
        return self._from_shelf(key) if found is None else found

    def keep(self, key: int, kept: Kept) -> None:
        """Remember what a container gave, where that is little."""
        if len(self._containers) >= MAX_CONTAINERS:
            self._containers.clear()
        if len(kept) <= MAX_KEPT:
            self._containers[key] = kept
            self._to_shelf(key, kept)

    def _to_shelf(self, key: int, kept: Kept) -> None:
        body = self._pack(kept) if self._pack is not None else b""
        if self._pack is None or len(body) > SHELF - _HEAD.size:
            return
        at = key % SHELVES * SHELF
        checksum = zlib.crc32(body, key & 0xFFFFFFFF)
        self._shelves[at : at + _HEAD.size + len(body)] = _HEAD.pack(key, checksum, len(body)) + body

    def _from_shelf(self, key: int) -> Kept | None:
        at = key % SHELVES * SHELF
        shelf = bytes(self._shelves[at : at + SHELF])
        found, checksum, size = _HEAD.unpack_from(shelf)
        body = shelf[_HEAD.size : _HEAD.size + size]
        if found != key or key == 0 or checksum != zlib.crc32(body, key & 0xFFFFFFFF) or self._unpack is None:
            return None
        kept = self._containers[key] = self._unpack(body)
        return kept
