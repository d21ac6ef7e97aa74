"""The noun phrase before a version: a product that no vocabulary has."""

from __future__ import annotations

import re

from hinomi.intel.vocabulary.loading import stopwords

_NOUN = re.compile(
    r"(?<![A-Za-z0-9._-])(?P<np>(?:(?:製品|装置|機種|モデル)[A-Z][A-Z0-9]{0,3}|[A-Z][A-Za-z0-9+_-]{1,24})"
    r"(?: [A-Z][A-Za-z0-9+_-]{0,24}){0,3}(?: \d{3,4}[A-Z]{0,2}(?![A-Za-z0-9.]))?)(?![A-Za-z0-9])"
)
_NOT_PRODUCT = stopwords("products")


def noun_at(line: str, start: int) -> tuple[int, int] | None:
    """Return the span of the capitalised noun phrase that begins at `start` and can name a product."""
    found = _NOUN.match(line, start)
    if not found or found["np"].split(" ")[0].casefold() in _NOT_PRODUCT:
        return None
    return found.span("np")


def noun_before(before: str) -> tuple[int, int] | None:
    """Return the span of the last capitalised noun phrase before a version that can name a product."""
    offset = max(0, len(before) - 80)
    for found in reversed(list(_NOUN.finditer(before, offset))):
        start, words = found.start("np"), found["np"].split(" ")
        if re.search(r"[:：(（、。;]", before[found.end() :]):
            return None
        while words and words[0].casefold().rstrip(".") in _NOT_PRODUCT:
            start += len(words[0]) + 1
            words = words[1:]
        while words and words[-1].casefold() in _NOT_PRODUCT:
            words = words[:-1]
        name = " ".join(words)
        if len(name) >= 3 and not name.replace(".", "").isdigit() and re.search(r"[A-Za-z]{2}|[^\x00-\x7f]", name):
            return start, start + len(name)
    return None
