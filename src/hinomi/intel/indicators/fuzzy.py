"""Similarity and server fingerprints: ssdeep, TLSH, JARM."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.scan import Scan

_SSDEEP = re.compile(r":[A-Za-z0-9+/]{3,64}:[A-Za-z0-9+/]{3,64}(?![\w:+/])")
_LENGTHS = frozenset({62, 70, 71})
"""Hex digits of a JARM, of a TLSH, and of one whose mark ends in a hex digit."""
_BLOCK_SIZE = re.compile(r"(?<![\w:/])\d{1,8}$")


class _Fuzzy:
    name = "fuzzy"
    order = 55

    def find(self, scan: Scan) -> Iterator[Candidate]:
        if "ssdeep" in scan.lower or "fuzzy" in scan.lower:
            yield from _ssdeep(scan)
        for start, end in scan.hex_runs:
            if end - start not in _LENGTHS:
                continue
            before, after = scan.text[start - 1 : start], scan.text[end : end + 1]
            if after.isalnum():
                continue
            if end - start == 71 and before == "T" and scan.text[start] == "1":
                yield _claim(scan, "tlsh", scan.text[start - 1 : end].upper(), (start - 1, end))
            elif end - start == 70 and not before.isalnum() and "tlsh" in scan.before(start, 24):
                yield _claim(scan, "tlsh", scan.text[start:end].upper(), (start, end))
            elif end - start == 62 and not before.isalnum() and "jarm" in scan.before(start, 400) + scan.lead(start):
                yield _claim(scan, "jarm", scan.lower[start:end], (start, end))


def _ssdeep(scan: Scan) -> Iterator[Candidate]:
    for match in _SSDEEP.finditer(scan.text):
        size = _BLOCK_SIZE.search(scan.text, max(0, match.start() - 8), match.start())
        if size and _like_ssdeep(size.group() + match.group()):
            yield _claim(scan, "ssdeep", size.group() + match.group(), (size.start(), match.end()))


def _like_ssdeep(value: str) -> bool:
    """The block size is three times a power of two; a time of day is no fingerprint."""
    size, first, second = value.split(":")
    number = int(size)
    while number and number % 2 == 0:
        number //= 2
    return number == 3 and len(first) + len(second) >= 10


def _claim(scan: Scan, kind: str, value: str, span: tuple[int, int]) -> Candidate:
    scan.take(*span)
    return scan.candidate(kind, value, *span, role="sample" if kind != "jarm" else "malicious", confidence=85)  # type: ignore[arg-type]


FAMILY = _Fuzzy()
