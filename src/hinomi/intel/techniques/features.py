"""What the technique model sees of a sentence: words, their pieces, pairs of neighbours. Training uses the same."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(r"[a-z][a-z0-9]*(?:\.exe|\.dll)?|\d+")
_ENDINGS = ("ation", "ing", "ies", "ed", "es", "s", "ly", "e")
_STOP = frozenset(
    "the a an of to in and is that this for by it as with on are be was from or at has have which we can its not also "
    "will been was but were their they you".split()
)
STEM_HEAD = 4
"""Letters that a word always shares with its stem."""
_PIECE = 4
"""Letters of a piece."""
_LONGEST_WORD = 40
"""Longer words are runs of code or of keys: they have no pieces."""
MAX_SENTENCE = 1500
"""Characters of a sentence that count."""


class Features(NamedTuple):
    """The distinct words of a sentence (lower case, function words left out) and the distinct pairs of their stems."""

    words: tuple[str, ...]
    pairs: tuple[str, ...]


@lru_cache(maxsize=1 << 15)  # the same words come again in every report
def stem(word: str) -> str:
    """Return a lower-case word without its commonest English ending."""
    if not word.endswith(_ENDINGS):
        return word
    for ending in _ENDINGS:
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def features(sentence: str) -> Features:
    """Return what the model sees of an English sentence, in its order."""
    words = [word for word in _TOKEN.findall(sentence[:MAX_SENTENCE].lower()) if word not in _STOP]
    pairs = (f"{left} {right}" for left, right in pairwise([stem(word) for word in words]))
    return Features(tuple(dict.fromkeys(words)), tuple(dict.fromkeys(pairs)))


def pieces(word: str) -> list[str]:
    """Return the overlapping four-letter pieces of a word, as `#<key`: unknown words are known by their parts."""
    if not 2 < len(word) <= _LONGEST_WORD or word[0].isdigit():
        return []
    marked = f"<{word}>"
    return ["#" + marked[start : start + _PIECE] for start in range(len(marked) - _PIECE + 1)]
