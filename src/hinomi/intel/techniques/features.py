"""What the technique model sees of a sentence: word stems and pairs of neighbouring ones. Training uses the same."""

from __future__ import annotations

import re
from itertools import pairwise

_TOKEN = re.compile(r"[a-z][a-z0-9]*(?:\.exe|\.dll)?|\d+")
_ENDINGS = ("ation", "ing", "ies", "ed", "es", "s", "ly", "e")
_STOP = frozenset(
    "the a an of to in and is that this for by it as with on are be was from or at has have which we can its not also "
    "will been were but their they you".split()
)
MAX_SENTENCE = 1500
"""Characters of a sentence that count."""


def stem(word: str) -> str:
    """Return a lower-case word without its commonest English ending."""
    for ending in _ENDINGS:
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def features(sentence: str) -> list[str]:
    """Return the stems of a sentence (function words left out) and the pairs of neighbours, repetitions kept."""
    stems = [stem(word) for word in _TOKEN.findall(sentence[:MAX_SENTENCE].lower()) if word not in _STOP]
    return stems + [f"{left} {right}" for left, right in pairwise(stems)]
