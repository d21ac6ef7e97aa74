"""Indicators of every family, found over one refanged copy of the text, window by window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hinomi.intel.discovery import members
from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.indicators.scan import Family, Scan
from hinomi.model.claims import Span

_WINDOW = 4 << 20
"""Characters held in several shapes at once: it bounds memory, not what is found."""
_LONGEST_LINE = 1 << 16


class _Indicators:
    name = "indicators"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        families: list[Family] = sorted(
            members("hinomi.intel.indicators", "FAMILY"), key=lambda family: (family.order, family.name)
        )
        for start, end in _windows(context.text):
            scan = Scan(context, start, end)
            for family in families:
                yield from family.find(scan)


def _windows(text: str) -> Iterator[Span]:
    """Yield windows that end at the end of a line, or of a word where lines are endless."""
    start = 0
    while start < len(text):
        end = min(start + _WINDOW, len(text))
        if end < len(text):
            low = end - _LONGEST_LINE
            cut = text.rfind("\n", low, end)
            cut = cut if cut >= 0 else text.rfind(" ", low, end)
            end = cut + 1 if cut >= 0 else end
        yield start, end
        start = end


EXTRACTOR = _Indicators()
