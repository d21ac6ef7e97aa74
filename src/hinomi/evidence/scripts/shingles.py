"""MinHash of blanked token triples: two scripts that do the same in the same order share most of the 64 values."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import lru_cache
from hashlib import shake_128
from itertools import islice

SIZE = 64
MAX_TOKENS = 6_000
MIN_TOKENS = 24  # shorter scripts resemble each other by chance
MAX_KNOWN = 1 << 14  # triples whose digests are remembered: blanked tokens repeat from script to script
_VALUES = struct.Struct(f"<{SIZE}I")  # 64 independent hashes of a triple are one long digest of it


def minhash(tokens: Iterable[str]) -> list[int]:
    """Return 64 values below 2^32 for the triples of at most 6,000 tokens; empty for very short scripts."""
    words = [word.encode("utf-8", "surrogatepass") for word in islice(tokens, MAX_TOKENS)]
    if len(words) < MIN_TOKENS:
        return []
    triples = set(zip(words, words[1:], words[2:], strict=False))
    hashes = [_VALUES.unpack(_digest(triple)) for triple in triples]
    return [min(column) for column in zip(*hashes, strict=True)]


@lru_cache(maxsize=MAX_KNOWN)
def _digest(triple: tuple[bytes, bytes, bytes]) -> bytes:
    return shake_128(b"\0".join(triple)).digest(_VALUES.size)
