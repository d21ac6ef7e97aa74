"""Several sources one behind the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from hinomi.evidence.archives.source import Source
from hinomi.model.errors import ParseError

MAX_READ = 64 << 20


class JoinedSource:
    """The parts' bytes in order."""

    def __init__(self, parts: Sequence[Source]) -> None:
        self._parts = tuple(part for part in parts if part.size)
        self._starts = [0]
        for part in self._parts:
            self._starts.append(self._starts[-1] + part.size)
        self.size = self._starts.pop()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes across parts; a part that gives less than it says is a `ParseError`."""
        if offset < 0 or offset >= self.size or length <= 0:
            return b""
        out: list[bytes] = []
        end = offset + min(length, self.size - offset, MAX_READ)
        while offset < end:
            index = bisect_right(self._starts, offset) - 1
            inside = offset - self._starts[index]
            data = self._parts[index].read_at(inside, min(end - offset, self._parts[index].size - inside))
            if not data:
                raise ParseError("image.truncated", cause="a part of the disk ends early")
            out.append(data)
            offset += len(data)
        return out[0] if len(out) == 1 else b"".join(out)
