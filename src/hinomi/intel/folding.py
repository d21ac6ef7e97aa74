"""Make text plain for matching, and keep the way back to the original offsets.

Reports write the same value in many shapes: full-width letters, non-breaking hyphens, yen signs for backslashes,
zero-width characters against copying. Matching runs on the folded text; spans are given in the original.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass

from hinomi.model.claims import Span

_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_INVISIBLE = "\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069"
_ODD_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"

_PLAIN: dict[int, str] = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_PLAIN |= {ord(c): "-" for c in _HYPHENS}
_PLAIN |= {ord(c): " " for c in _ODD_SPACES}
_PLAIN |= {0x00A5: "\\", 0xFFE5: "\\", 0x20A9: "\\", 0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"'}
_PLAIN |= {0x0130: "I", 0x3002: "。", 0xFF61: "。", 0x2024: ".", 0xFE52: ".", 0x2044: "/", 0x2215: "/"}
_FOLDABLE = re.compile("[" + "".join(map(re.escape, map(chr, _PLAIN))) + "]+")
_INVISIBLE_RUN = re.compile(f"[{_INVISIBLE}]+")


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text. Only invisible characters are dropped, every other character maps to exactly one."""

    text: str
    starts: array[int]
    shifts: array[int]

    def original(self, offset: int) -> int:
        """Return the original offset of the folded character at `offset`."""
        if not self.starts:
            return offset
        number = bisect_right(self.starts, offset) - 1
        return offset + (self.shifts[number] if number >= 0 else 0)

    def span(self, start: int, end: int) -> Span:
        """Return the original span of the folded, non-empty slice `start:end`."""
        return (self.original(start), self.original(end - 1) + 1) if self.starts else (start, end)


def fold(text: str) -> Folded:
    """Fold `text`; linear, and free for plain ASCII."""
    starts, shifts = array("q"), array("q")
    if text.isascii():
        return Folded(text, starts, shifts)
    pieces: list[str] = []
    last = dropped = 0
    for run in _INVISIBLE_RUN.finditer(text):
        pieces.append(text[last : run.start()])
        dropped += run.end() - run.start()
        last = run.end()
        starts.append(last - dropped)
        shifts.append(dropped)
    pieces.append(text[last:])
    return Folded(_FOLDABLE.sub(_plain, "".join(pieces)), starts, shifts)


def _plain(match: re.Match[str]) -> str:
    return match.group().translate(_PLAIN)
