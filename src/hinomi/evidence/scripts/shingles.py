"""MinHash of blanked token triples: two scripts that do the same in the same order share most of the 64 values."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import islice
from zlib import crc32

SIZE = 64
MAX_TOKENS = 6_000
MIN_TOKENS = 24  # shorter scripts resemble each other by chance
_PRIME = (1 << 61) - 1
_seeds = random.Random(20230308)
_FAMILY = tuple((_seeds.randrange(1, _PRIME), _seeds.randrange(_PRIME)) for _ in range(SIZE))


def minhash(tokens: Iterable[str]) -> list[int]:
    """Return 64 values below 2^32 for the triples of at most 6,000 tokens; empty for very short scripts."""
    words = list(islice(tokens, MAX_TOKENS))
    if len(words) < MIN_TOKENS:
        return []
    triples = {crc32("\x00".join(words[i : i + 3]).encode("utf-8", "surrogatepass")) for i in range(len(words) - 2)}
    return [min((a * t + b) % _PRIME for t in triples) & 0xFFFFFFFF for a, b in _FAMILY]
