"""MinHash of blanked token triples: two scripts that do the same in the same order share most of the 64 values.

One hash of each triple chooses one of 64 places and a value, and the smallest value of a place stays; a place that no
triple chose takes the value of another, found in an order of its own. This is as accurate as 64 hashes of each triple
(Shrivastava, Optimal Densification for Fast and Accurate Minwise Hashing, 2017, http://proceedings.mlr.press/v70/).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from random import Random

SIZE = 64
MAX_TOKENS = 6_000
MIN_TOKENS = 24  # shorter scripts resemble each other by chance
MAX_KNOWN = 1 << 14  # triples whose hashes are remembered: blanked tokens repeat from script to script
_NONE = 1 << 32  # above all values
_OTHERS = tuple(tuple(Random(place).sample(range(SIZE), SIZE)) for place in range(SIZE))


def minhash(tokens: Iterable[str]) -> list[int]:
    """Return 64 values below 2^32 for the triples of at most 6,000 tokens; empty for very short scripts."""
    words = [word.encode("utf-8", "surrogatepass") for word in islice(tokens, MAX_TOKENS)]
    if len(words) < MIN_TOKENS:
        return []
    least = [_NONE] * SIZE
    for triple in set(zip(words, words[1:], words[2:], strict=False)):
        place, value = _hash(triple)
        if value < least[place]:
            least[place] = value
    return [_other(least, place) if value == _NONE else value for place, value in enumerate(least)]


def _other(least: list[int], place: int) -> int:
    return next(least[other] for other in _OTHERS[place] if least[other] != _NONE)


@lru_cache(maxsize=MAX_KNOWN)
def _hash(triple: tuple[bytes, bytes, bytes]) -> tuple[int, int]:
    made = int.from_bytes(blake2b(b"\0".join(triple), digest_size=8).digest(), "little")
    return made % SIZE, made >> 32
