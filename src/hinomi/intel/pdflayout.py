"""The reading order of one PDF page: columns one after the other, tables row by row, all else as it was drawn.

A PDF draws text at places; nothing says what belongs together. Most programs draw in reading order, so that order is
kept unless the page clearly shows columns of prose side by side.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

CELL_MARK = " | "
"""What stands between the cells of a table's row."""
CUT_MARK = "\u2060"
"""The word joiner: no place to break a line."""
_WHOLE = re.compile(
    r"\d{1,3}(?:\[?\(?\.\)?\]?\d{1,3}){3}(?::\d{1,5}|/\d{1,2})?[,;]?|(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})[,;]?"
    r"|CVE-\d{4}-\d{4,7}[,;]?"
)
"""A line that is a whole value: several of them in a cell are a list."""
_BEGINS = re.compile(r"(?:h(?:tt|xx|XX)ps?|ftp)(?:\[?:\]?)//|[A-Za-z]:\\")
"""A line that begins a value."""
_LEAST_LINES = 5
"""Lines on either side that make a column."""
_FULL = 0.6
"""The share of a column's width that half of its lines fill: prose does, cells of a table do not."""
_GAP = 1.2
"""Empty space between words, in sizes of their letters, that parts two cells or columns."""
_MAX_CELL = 12
"""Lines of a table's cell; taller blocks side by side are prose."""
_MAX_LINES = 3000
_NARROW = frozenset("iljtfr.,:;|!'`()[]{}/\\ -")
_WIDE = frozenset("mwMW@%")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as drawn: its words, where it begins (points from the lower left), its size and where it ends."""

    text: str
    x: float
    y: float
    size: float
    end: float


class Page:
    """Gathers what a page draws and gives its text in reading order."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._text = ""
        self._place: tuple[float, float, float] | None = None
        self._pen: tuple[float, float] | None = None

    def draw(self, text: str, x: float, y: float, size: float) -> None:
        """Take a piece of text and where it begins; a newline in it ends the line, as wide empty space does."""
        if not text:
            self._pen = (x, y)
        elif text.strip() and self._place is not None and self._apart(x, y, size):
            self._end()
        while text:
            piece, newline, text = text.partition("\n")
            if piece.strip() and self._place is None:
                self._place = (x, y, size)
            self._text += piece
            if newline:
                self._end()

    def text(self) -> str:
        """Return the page's text."""
        self._end()
        if len(self._lines) > _MAX_LINES:
            return "\n".join(line.text for line in self._lines)
        return "\n".join(_read(self._lines))

    def _apart(self, x: float, y: float, size: float) -> bool:
        """Tell whether a piece stands on another line than the one under way, or far behind it."""
        assert self._place is not None
        return abs(y - self._place[1]) > 0.4 * size or x - self._pen_or_end() > _GAP * size

    def _pen_or_end(self) -> float:
        """Return where the line under way ends: where the pen was left, else by the width of its letters."""
        assert self._place is not None
        x, y, size = self._place
        if self._pen is not None and abs(self._pen[1] - y) < 1 and self._pen[0] > x:
            return self._pen[0]
        return x + _width(self._text.rstrip()) * size

    def _end(self) -> None:
        if self._place is not None:
            x, y, size = self._place
            self._lines.append(Line(self._text.rstrip(), x, y, size, x + _width(self._text.rstrip()) * size))
        elif self._lines:
            self._lines.append(Line("", self._lines[-1].x, self._lines[-1].y, 0.0, 0.0))
        self._text, self._place, self._pen = "", None, None


def _width(text: str) -> float:
    """Return about how wide a text is, in sizes of its letters."""
    return sum(
        1.0 if c >= "\u2e80" else 0.3 if c in _NARROW else 0.83 if c in _WIDE else 0.67 if c.isupper() else 0.53
        for c in text
    )


def _read(lines: Sequence[Line]) -> Iterator[str]:
    words = [line for line in lines if line.text]
    gutter = _gutter(words)
    if gutter is None:
        yield from _rows(lines)
        return
    for band in _bands(words, gutter):
        left = [line for line in band if line.x < gutter - 1]
        right = [line for line in band if line.x >= gutter - 1]
        for column in (left, right):
            if column:
                yield from _read(_down(column)) if len(column) < len(words) else (line.text for line in column)


def _down(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: (-round(line.y, 1), line.x))


def _gutter(lines: Sequence[Line]) -> float | None:
    """Return where a second column of prose begins, or None."""
    if len(lines) < 2 * _LEAST_LINES:
        return None
    least = min(line.x for line in lines)
    begins = Counter(round(line.x) for line in lines)
    places = sorted(x for x, times in begins.items() if times >= _LEAST_LINES - 1 and x > least + 72)
    return next((float(x) for x in places if _parts_columns(lines, x)), None)


def _parts_columns(lines: Sequence[Line], place: float) -> bool:
    left = [line for line in lines if line.x < place - 1 and not _crosses(line, place)]
    right = [line for line in lines if line.x >= place - 1]
    if min(len(left), len(right)) < _LEAST_LINES or len(left) + len(right) < 0.6 * len(lines):
        return False
    width = place - min(line.x for line in left)
    if min(median(line.end - line.x for line in side) for side in (left, right)) < _FULL * width:
        return False
    top = min(max(line.y for line in side) for side in (left, right)) + 1
    bottom = max(min(line.y for line in side) for side in (left, right)) - 1
    return all(sum(bottom <= line.y <= top for line in side) >= 0.5 * len(side) for side in (left, right))


def _crosses(line: Line, place: float) -> bool:
    """Tell whether a line runs over the gutter; widths are estimates, hence the slack."""
    return line.x < place - 1 and line.end > place + 0.12 * (line.end - line.x)


def _bands(lines: Sequence[Line], gutter: float) -> Iterator[list[Line]]:
    """Cut the page where a line runs over both columns, and where wide empty space lies over both."""
    band: list[Line] = []
    for line in _down(lines):
        apart = bool(band) and band[-1].y - line.y > 3 * max(line.size, band[-1].size)
        if band and (apart or _crosses(line, gutter) != _crosses(band[-1], gutter)):
            yield band
            band = []
        band.append(line)
    yield band


def _rows(lines: Sequence[Line]) -> Iterator[str]:
    """Join the cells of a table's row, where they were drawn one after the other and stand side by side."""
    row: list[list[Line]] = []
    for block in _blocks(lines):
        if row and not _beside(row[-1], block):
            yield from _told(row)
            row = []
        row.append(block)
    yield from _told(row)


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Gather lines that stand right below each other."""
    block: list[Line] = []
    for line in lines:
        if block and not (line.text and block[-1].text and _below(block[-1], line)):
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _below(above: Line, line: Line) -> bool:
    step = above.y - line.y
    if not 0.85 < line.size / above.size < 1.18:
        return False
    return abs(line.x - above.x) < 2 and 0.5 * line.size < step < 1.9 * max(line.size, above.size)


def _beside(block: Sequence[Line], other: Sequence[Line]) -> bool:
    """Tell whether a block stands to the right of another, at the same height, with space between."""
    if not block[0].text or not other[0].text or max(len(block), len(other)) > _MAX_CELL:
        return False
    size = other[0].size
    apart = other[0].x > max(block[0].x + 1.5 * size, max(line.end for line in block) - size)
    slack = 0.4 * size
    return apart and other[0].y >= block[-1].y - slack and other[-1].y <= block[0].y + slack


def _told(row: Sequence[Sequence[Line]]) -> Iterator[str]:
    if len(row) < 2:
        yield from (line.text for block in row for line in block)
    elif all(len(block) == 1 for block in row):
        yield CELL_MARK.join(block[0].text.strip() for block in row)
    else:
        yield CELL_MARK.join(cell_text([line.text for line in block]) for block in row)


def cell_text(lines: Sequence[str]) -> str:
    """Return a cell's lines as one: a value that was broken because the cell is narrow is whole again.

    `CUT_MARK` stands where a line ended within a value, which may have ended there as well.
    """
    parts = [line.strip() for line in lines]
    if len(parts) > 1 and all(part and " " not in part and part.isascii() for part in parts):
        apart = all(map(_WHOLE.fullmatch, parts)) or all(map(_BEGINS.match, parts))
        return (" " if apart else CUT_MARK).join(parts)
    glued = parts[0]
    for part in parts[1:]:
        tight = glued[-1:] >= "\u3000" and part[:1] >= "\u3000"
        glued += part if tight else f" {part}"
    return glued
