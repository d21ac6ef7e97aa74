"""A word that processes share: when something was last done, and how many images were opened."""

from __future__ import annotations

import mmap
import struct
import time

_WORD = struct.Struct("<dQ")
_FOREVER = float("inf")


class Pulse:
    """Shared by the processes of one examination, of which one works at a time."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, _WORD.size)
        self.beat()

    def beat(self) -> None:
        """Something was done."""
        struct.pack_into("<d", self._shared, 0, time.monotonic())

    def hold(self) -> None:
        """Wait for another without being thought to hang, until the next `beat`."""
        struct.pack_into("<d", self._shared, 0, _FOREVER)

    @property
    def quiet(self) -> float:
        """Seconds since the last beat; nothing or less while it is held."""
        (last,) = struct.unpack_from("<d", self._shared, 0)
        return time.monotonic() - float(last)

    @property
    def opened(self) -> int:
        """Images opened so far."""
        return int(struct.unpack_from("<Q", self._shared, 8)[0])

    def count(self, number: int) -> None:
        """Count images as opened."""
        struct.pack_into("<Q", self._shared, 8, self.opened + number)
