"""A compressed file of NTFS: units of clusters that are packed each for itself, stored as they are, or holes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from hinomi.evidence.archives.lznt1 import lznt1_block
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.images.runs import Run
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

MAX_UNIT = 4 << 20


class PackedRuns:
    """A file's plain content; `unit` and `cluster` are sizes in bytes."""

    def __init__(self, source: Source, runs: Sequence[Run], unit: int, cluster: int, size: int) -> None:
        if unit > MAX_UNIT:
            raise ParseError("image.damaged", cause="NTFS compression unit")
        self.size = size
        self._source = source
        self._runs = sorted(runs)
        self._starts = [run.start for run in self._runs]
        self._unit = unit
        self._cluster = cluster
        self._plain: Kept[bytes] = Kept(8)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes, unit by unit."""
        return read_in_steps(self.size, self._unit, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        return self._plain.get(index, lambda: self._unpack(index))[inside : inside + number]

    def _unpack(self, index: int) -> bytes:
        raw = self._stored(index * self._unit)
        if not raw:
            return bytes(self._unit)
        if len(raw) >= self._unit:
            return raw
        return lznt1_block(raw, self._unit).ljust(self._unit, b"\0")

    def _stored(self, start: int) -> bytes:
        """Return what a unit has on disk: all of it, its packed form, or nothing."""
        out: list[bytes] = []
        end = start + self._unit
        index = max(0, bisect_right(self._starts, start) - 1)
        for run in self._runs[index:]:
            if run.start >= end:
                break
            low, high = max(start, run.start), min(end, run.start + run.length)
            if run.place is not None and low < high:
                out.append(self._source.read_at(run.place + low - run.start, high - low))
        return b"".join(out)
