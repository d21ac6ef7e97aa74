"""Seekable readers with a position of their own, over whatever can be read at an offset."""

from __future__ import annotations

import errno
import io
import os
from abc import abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class PositionReader(io.RawIOBase):
    """A raw file; a sub-class says how long it is and fills buffers from an offset."""

    def __init__(self) -> None:
        super().__init__()
        self._position = 0

    @abstractmethod
    def _length(self) -> int:
        """Return the content's bytes."""

    @abstractmethod
    def _fill(self, buffer: WriteableBuffer, offset: int) -> int:
        """Fill the start of a buffer with what stands at an offset; return how many bytes there were."""

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer from the position."""
        number = self._fill(buffer, self._position)
        self._position += number
        return number

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position."""
        base = (0, self._position, self._length())[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "negative position")
        self._position = base + offset
        return self._position
