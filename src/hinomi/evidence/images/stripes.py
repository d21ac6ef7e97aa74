"""Bytes dealt out in stripes over several sources."""

from __future__ import annotations

from collections.abc import Sequence

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.model.errors import ParseError


class StripedSource:
    """`size` bytes over `parts`: the first `stripe` bytes lie in the first part, the next in the second, and so on."""

    def __init__(self, parts: Sequence[Source], stripe: int, size: int) -> None:
        """Take at least one part; `ParseError` for a stripe that is no positive number of bytes."""
        if stripe <= 0 or not parts:
            raise ParseError("image.damaged", cause="stripes")
        self.size = size
        self._parts = tuple(parts)
        self._stripe = stripe

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes, stripe by stripe."""
        return read_in_steps(self.size, self._stripe, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        row, column = divmod(index, len(self._parts))
        return self._parts[column].read_at(row * self._stripe + inside, number)
