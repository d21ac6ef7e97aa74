"""Where literal words occur: plain substring searches over a whole text are cheaper than one pattern per sentence."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence


def occurrences(text: str, literals: Iterable[str]) -> list[int]:
    """Return the offsets where any of `literals` begins, ascending. Linear for each literal."""
    places: list[int] = []
    for literal in literals:
        place = text.find(literal)
        while place >= 0:
            places.append(place)
            place = text.find(literal, place + len(literal))
    places.sort()
    return places


def any_within(places: Sequence[int], start: int, end: int) -> bool:
    """Whether one of the ascending `places` lies in `start:end`."""
    number = bisect_left(places, start)
    return number < len(places) and places[number] < end
