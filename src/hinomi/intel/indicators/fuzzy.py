"""Similarity and server fingerprints: ssdeep, TLSH, JARM."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.scan import Scan

_SSDEEP = re.compile(r"(?<![\w:/])\d{1,8}:[A-Za-z0-9+/]{3,64}:[A-Za-z0-9+/]{3,64}(?![\w:+/])")
_TLSH = re.compile(r"(?<![0-9A-Za-z])T1[0-9A-Fa-f]{70}(?![0-9A-Za-z])")
_TLSH_OLD = re.compile(r"[\s:=|`\"']{1,4}([0-9A-Fa-f]{70})(?![0-9A-Za-z])")
_JARM = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{62}(?![0-9A-Za-z])")


class _Fuzzy:
    name = "fuzzy"
    order = 55

    def find(self, scan: Scan) -> Iterator[Candidate]:
        if "ssdeep" in scan.lower or "fuzzy" in scan.lower:
            for match in _SSDEEP.finditer(scan.text):
                if _like_ssdeep(match.group()):
                    yield _claim(scan, "ssdeep", match.group(), match.span())
        if "T1" in scan.text:
            for match in _TLSH.finditer(scan.text):
                yield _claim(scan, "tlsh", match.group().upper(), match.span())
        for place in scan.words("tlsh"):
            if old := _TLSH_OLD.match(scan.text, place + 4):
                yield _claim(scan, "tlsh", old.group(1).upper(), old.span(1))
        if "jarm" in scan.lower:
            for match in _JARM.finditer(scan.text):
                yield _claim(scan, "jarm", match.group().lower(), match.span())


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
