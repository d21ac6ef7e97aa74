"""A window of a report as its families ask it: places, lines, what is taken, and the tokens most of them begin with.

Hundreds of questions are asked of every kilobyte, so the same is there in C (`intel/native/window.c`).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Protocol

from hinomi.intel.folding import Folded
from hinomi.intel.indicators.refang import Refanged
from hinomi.intel.native import compiled
from hinomi.model.claims import Span

_DOT = re.compile(r"\.(?=[\w])")
_LABELS = re.compile(r"[A-Za-z0-9_\u00c0-\u058f-]+(?:\.[A-Za-z0-9_\u00c0-\u058f-]+)*")
_IN_LABEL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") | frozenset(
    map(chr, range(0xC0, 0x590))
)
_HEX = re.compile(r"[0-9a-fA-F]{8,}")
_MAX_TOKEN = 300
LINE = 400
"""Characters of a line that are looked back over."""


class Window(Protocol):
    """Offsets are offsets into the refanged text unless said otherwise; all arguments are given by place."""

    def take(self, start: int, end: int, /) -> None:
        """Mark a stretch as used, so that no later family reads a part of it as something else."""

    def taken(self, start: int, end: int, /) -> bool:
        """Tell whether any of `start:end` is used already."""

    def original(self, start: int, end: int, /) -> Span:
        """Return the span in the report's own text."""

    def defanged(self, start: int, end: int, /) -> bool:
        """Tell whether the stretch was written defanged."""

    def line_start(self, offset: int, /) -> int:
        """Return where the line of `offset` begins, at most 400 characters back."""

    def before(self, offset: int, size: int = 60, /) -> str:
        """Return the small-letter text before `offset` in its line."""

    def after(self, offset: int, size: int = 60, /) -> str:
        """Return the small-letter text after `offset` in its line."""

    def dotted(self) -> list[Span]:
        """Return the tokens of two or more labels joined by dots, in order."""

    def hex_runs(self) -> list[Span]:
        """Return the runs of eight or more hex digits, in order."""


def window(folded: Folded, refanged: Refanged, lower: str, base: int) -> Window:
    """Return the window over a refanged text, which begins at `base` of the report; compiled where that is built."""
    native = compiled("window")
    made: type[Window] = native.Window if native else PlainWindow
    edits: tuple[Sequence[int], Sequence[int], Sequence[Span]] = refanged.places, refanged.lengths, refanged.spans
    return made(refanged.text, lower, *edits, folded.starts, folded.shifts, base)  # type: ignore[call-arg]


class PlainWindow:
    """The window in Python."""

    def __init__(
        self,
        text: str,
        lower: str,
        places: Sequence[int],
        lengths: Sequence[int],
        spans: Sequence[Span],
        starts: Sequence[int],
        shifts: Sequence[int],
        base: int,
    ) -> None:
        """`lower` is as long as `text`; the other rows are those of `Refanged` and `Folded`."""
        self._text, self._lower, self._base = text, lower, base
        self._places, self._lengths, self._spans = places, lengths, spans
        self._starts, self._shifts = starts, shifts
        self._taken = bytearray(len(text))

    def take(self, start: int, end: int, /) -> None:
        end = min(end, len(self._taken))
        self._taken[start:end] = b"\x01" * (end - start)

    def taken(self, start: int, end: int, /) -> bool:
        return self._taken.find(1, start, end) >= 0

    def original(self, start: int, end: int, /) -> Span:
        start, end = self._unedited(start, behind=False), self._unedited(end, behind=True)
        if self._starts:
            start, end = self._unfolded(start), self._unfolded(end - 1) + 1
        return start + self._base, end + self._base

    def _unedited(self, offset: int, *, behind: bool) -> int:
        number = (bisect_left if behind else bisect_right)(self._places, offset) - 1
        if number < 0:
            return offset
        stop, span = self._places[number] + self._lengths[number], self._spans[number]
        if offset >= stop:
            return span[1] + offset - stop
        return span[1] if behind else span[0]

    def _unfolded(self, offset: int) -> int:
        number = bisect_right(self._starts, offset) - 1
        return offset + (self._shifts[number] if number >= 0 else 0)

    def defanged(self, start: int, end: int, /) -> bool:
        number = bisect_left(self._places, end) - 1
        return number >= 0 and self._places[number] + self._lengths[number] > start

    def line_start(self, offset: int, /) -> int:
        low = max(0, offset - LINE)
        return max(low, self._text.rfind("\n", low, offset) + 1)

    def before(self, offset: int, size: int = 60, /) -> str:
        return self._lower[max(self.line_start(offset), offset - size) : offset]

    def after(self, offset: int, size: int = 60, /) -> str:
        end = self._text.find("\n", offset, offset + size)
        return self._lower[offset : end if end >= 0 else offset + size]

    def dotted(self) -> list[Span]:
        return list(_dotted(self._text))

    def hex_runs(self) -> list[Span]:
        return [m.span() for m in _HEX.finditer(self._text)]


def _dotted(text: str) -> Iterator[Span]:
    low = 0
    for dot in _DOT.finditer(text):
        place = dot.start()
        if place < low or place == 0:
            continue
        start = place
        floor = max(low, place - _MAX_TOKEN)
        while start > floor and text[start - 1] in _IN_LABEL:
            start -= 1
        match = _LABELS.match(text, place + 1)
        if match is None:
            continue
        low = match.end()
        if start < place and low - start <= _MAX_TOKEN:
            yield start, low
