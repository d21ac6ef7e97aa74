"""What a scan has seen before, by a keyed hash of the content: real servers hold the same jar a hundred times."""

from __future__ import annotations

import mmap
import os

from hinomi.evidence.archives.visitor import Kept
from hinomi.evidence.native import compiled

PLACES = 1 << 20  # of innocent content; 8 bytes each
SECRET = 1040  # bytes
MAX_CONTAINERS = 20_000
MAX_KEPT = 20


class Memory:
    """Remembers content already walked. Innocent content is known to all processes that are forked from this one.

    Keys are hashes of the bytes, keyed at random for each scan: nobody outside can aim at a collision. Each
    innocent key has one place in a table and pushes out the one before it; a word is written at once, so processes
    need no lock.
    """

    def __init__(self) -> None:
        self.table = memoryview(mmap.mmap(-1, PLACES * 8))
        self.secret = os.urandom(SECRET)  # what the compiled core's hashes are keyed with
        self._innocent = self.table.cast("q")
        self._containers: dict[int, Kept] = {}

    def key_of(self, data: memoryview) -> int:
        """Return what stands for this content."""
        core = compiled("classes")
        return int(core.fingerprint(data, self.secret)) if core is not None else hash(bytes(data))

    def is_innocent(self, key: int) -> bool:
        """Whether content of this key was looked at and is nothing."""
        return self._innocent[key % PLACES] == key != 0

    def add_innocent(self, key: int) -> None:
        """Remember content that is nothing."""
        self._innocent[key % PLACES] = key

    def kept(self, key: int) -> Kept | None:
        """Return what a container gave."""
        return self._containers.get(key)

    def keep(self, key: int, kept: Kept) -> None:
        """Remember what a container gave, where that is little."""
        if len(self._containers) >= MAX_CONTAINERS:
            self._containers.clear()
        if len(kept) <= MAX_KEPT:
            self._containers[key] = kept
