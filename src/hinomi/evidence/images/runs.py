"""A file's content as runs of bytes somewhere in an image: what extents, block pointers and data runs come down to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import NamedTuple

from hinomi.evidence.archives.source import Source
from hinomi.model.errors import ParseError

MAX_READ = 64 << 20  # bytes of one reading: a hole costs memory too


class Run(NamedTuple):
    """`length` bytes of a file from `start`; `place` is where they are in the image, None for zeros."""

    start: int
    length: int
    place: int | None


class RunSource:
    """A file's content from its runs; what no run covers is zeros."""

    def __init__(self, source: Source, runs: Iterable[Run], size: int) -> None:
        self.size = size
        self._source = source
        self._runs = sorted(runs, key=lambda run: run.start)
        self._starts = [run.start for run in self._runs]

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes; holes are zeros, runs outside the image a `ParseError`."""
        return read_pieces(self._piece, self.size, offset, length)

    def place_of(self, offset: int) -> int | None:
        """Return where in the image a byte of the content is; None for a hole."""
        index = bisect_right(self._starts, offset) - 1
        run = self._runs[index] if index >= 0 else None
        if run is None or run.place is None or offset >= run.start + run.length:
            return None
        return run.place + offset - run.start

    def _piece(self, offset: int, length: int) -> bytes:
        """Return the beginning of a range: up to the end of its run or hole."""
        index = bisect_right(self._starts, offset) - 1
        if index >= 0:
            run = self._runs[index]
            if offset < run.start + run.length:
                return self._of_run(run, offset, min(length, run.start + run.length - offset))
        following = self._starts[index + 1] if index + 1 < len(self._starts) else self.size
        return bytes(min(length, following - offset))

    def _of_run(self, run: Run, offset: int, length: int) -> bytes:
        if run.place is None:
            return bytes(length)
        data = self._source.read_at(run.place + offset - run.start, length)
        if len(data) < length:
            raise ParseError("image.truncated", cause="a file's block lies outside the image")
        return data


def read_pieces(piece: Callable[[int, int], bytes], size: int, offset: int, length: int) -> bytes:
    """Return at most `length` bytes of a content of `size`, piece by piece.

    `piece(offset, length)` gives between one and `length` bytes.
    """
    if offset < 0 or offset >= size:
        return b""
    end = offset + min(length, size - offset, MAX_READ)
    out: list[bytes] = []
    while offset < end:
        data = piece(offset, end - offset)
        out.append(data)
        offset += len(data)
    return out[0] if len(out) == 1 else b"".join(out)
