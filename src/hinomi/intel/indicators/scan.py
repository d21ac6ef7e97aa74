"""One pass over a report for indicators: the plain text, what is taken already, and what surrounds a place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Literal, Protocol, runtime_checkable

from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.folding import fold
from hinomi.intel.indicators.refang import refang
from hinomi.intel.indicators.window import LINE, window
from hinomi.intel.native import compiled
from hinomi.model.claims import ClaimRole, ClaimType, Section, Span

_NO_SECTION = Section("", "other", (0, 0))

_LONG_RUN = re.compile(r"[0-9A-Za-z]{26,}")
_new = tuple.__new__

Kind = Literal["domain", "file", "neither"]


@runtime_checkable
class Family(Protocol):
    """Finds one family of indicators. Families run by `order`: what an earlier one takes, a later one leaves alone."""

    name: str
    order: int

    def find(self, scan: Scan) -> Iterable[Candidate]:
        """Yield candidates in any order; linear in the text."""
        ...


class Scan:
    """The refanged text of one window of a report. Offsets are offsets into `text` unless said otherwise."""

    def __init__(self, context: ReadingContext, start: int = 0, end: int | None = None) -> None:
        self.context = context
        whole = start == 0 and (end is None or end >= len(context.text))
        folded = context.folded if whole else fold(context.text[start:end])
        refanged = refang(folded.text)
        self.text = refanged.text
        self.lower = self.text.lower()
        if len(self.lower) != len(self.text):  # a few letters grow in lower case; offsets must hold
            self.lower = "".join(c if len(c.lower()) != 1 else c.lower() for c in self.text)
        self._window = opened = window(folded, refanged, self.lower, start)
        self.take, self.taken, self.original = opened.take, opened.taken, opened.original
        self.defanged, self.line_start = opened.defanged, opened.line_start
        self.before, self.after = opened.before, opened.after
        self._edits = len(refanged.places)
        self._heads: dict[int, str] = {}
        self.kinds: dict[int, Kind] = {}
        self._near, self._section = (-1, -1), _NO_SECTION

    def candidate(
        self,
        kind: ClaimType,
        value: str,
        start: int,
        end: int,
        *,
        role: ClaimRole = "mentioned",
        confidence: int = 70,
        why: str = "",
        **attributes: Any,
    ) -> Candidate:
        """Make a candidate for `start:end`; notes by itself that it was written defanged, which makes it surer."""
        if self._edits and self.defanged(start, end):
            attributes["defanged"] = True
            confidence = min(98, confidence + 15)
        # a named tuple without the call in Python that its name costs
        return _new(Candidate, (kind, value, self.original(start, end), role, confidence, why, None, attributes, ""))

    @property
    def defangs(self) -> bool:
        """Tell whether the report defangs as a habit: what it leaves plain is then no indicator, as a rule."""
        return self._edits >= 6

    def section(self, offset: int) -> Section:
        """Return the innermost section around `offset`; one without role when there is none."""
        if not self._near[0] <= offset < self._near[1]:
            number = self.context.section_at(self.original(offset, offset + 1)[0])
            section = _NO_SECTION if number is None else self.context.sections[number]
            line = self.line_start(offset)
            self._near, self._section = (line, max(offset + 1, self._line_end(offset))), section
        return self._section

    def _line_end(self, offset: int) -> int:
        end = self.text.find("\n", offset, offset + LINE)
        return end if end >= 0 else offset + LINE

    def heading(self, offset: int) -> str:
        """Return the small-letter heading of the section around `offset`, or an empty text."""
        return self.section(offset).heading.lower()

    def lead(self, offset: int) -> str:
        """Return what introduces the list, table or block around `offset`: the last lines of words before it."""
        start = self.line_start(offset)
        if start not in self._heads:
            if len(self._heads) > 4096:
                self._heads.clear()
            self._heads[start] = self._lead_of_list(start) or self.heading(offset) + " " + _introduction(
                self.lower, start
            )
        return self._heads[start]

    def _lead_of_list(self, start: int) -> str | None:
        """The lead-in of the value in the line above: both stand in one list."""
        above = self.line_start(start - 1) if start else 0
        line = self.lower[above : start - 1].strip()
        return self._heads.get(above) if start and len(line) > 8 and " " not in line else None

    @cached_property
    def dotted(self) -> list[Span]:
        """Tokens of two or more labels joined by dots, in order."""
        return self._window.dotted()

    @cached_property
    def hex_runs(self) -> list[Span]:
        """Runs of eight or more hex digits, in order."""
        return self._window.hex_runs()

    @cached_property
    def long_runs(self) -> list[Span]:
        """Runs of 26 or more ASCII letters and digits, in order: hashes, keys, wallets."""
        native = compiled("words")
        return native.long_runs(self.text) if native else [m.span() for m in _LONG_RUN.finditer(self.text)]

    def words(self, pattern: str) -> Iterator[int]:
        """Yield where the literal `pattern` (small letters) begins."""
        place = self.lower.find(pattern)
        while place >= 0:
            yield place
            place = self.lower.find(pattern, place + len(pattern))


def _introduction(lower: str, start: int) -> str:
    """The nearest lines before `start` that hold words rather than values, up to 600 characters back."""
    words: list[str] = []
    for line in reversed(lower[max(0, start - 600) : start].split("\n")[:-1]):
        text = line.strip()
        if not text:
            if words:
                break
            continue
        if len(text) > 8 and " " not in text and text.isascii():
            continue  # a value of the same list
        words.append(text[-160:])
        if len(words) >= 2:
            break
    return " ".join(words)
