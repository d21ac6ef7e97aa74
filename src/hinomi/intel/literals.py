"""Where literal words occur: a search over a whole text for all of them is cheaper than one pattern per sentence.

The same is there in C (`intel/native/words.c`), in one pass for all words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from hinomi.intel.native import compiled

_FEW = 3
"""So many words are looked for one by one: a substring search is faster than a pass for all."""


def occurrences(text: str, literals: tuple[str, ...]) -> list[int]:
    """Return the offsets where any of the different `literals` begins, ascending. Linear for each literal."""
    native = compiled("words")
    if native and len(literals) > _FEW:
        found: list[int] = native.occurrences(_compiled(literals), text)
        return found
    places: list[int] = []
    for literal in literals:
        place = text.find(literal)
        while place >= 0:
            places.append(place)
            place = text.find(literal, place + len(literal))
    places.sort()
    return places


@lru_cache(maxsize=64)
def _compiled(literals: tuple[str, ...]) -> Any:
    native = compiled("words")
    assert native
    return native.literals(literals)


def any_within(places: Sequence[int], start: int, end: int) -> bool:
    """Whether one of the ascending `places` lies in `start:end`."""
    number = bisect_left(places, start)
    return number < len(places) and places[number] < end
