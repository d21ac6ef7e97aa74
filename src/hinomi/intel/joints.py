"""Values that may go on over a line end: the joined reading, beside the one that ends there.

Whoever broke a line at a hyphen may have put it in or found it there, and a path may end where its line does. So both
readings are claims; the joined one is the less sure, unless what stands before the line end is nothing by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.extractors.indicators import EXTRACTOR
from hinomi.intel.language import detect_language
from hinomi.model.text import Language

MAX_JOINTS = 2000
_BEFORE, _AFTER = 200, 120
"""Characters around a joint that are read with it, for the role of what is found."""
_JOINED = frozenset({"url", "domain", "email", "filepath", "filename", "registry-key"})
_DOUBTFUL, _LESS_SURE = 35, 15
_RUN_END = re.compile(r"[\x21-\x7e]+$")
_ONLY = "joined over a line end: what stands before it is no value by itself"
_EITHER = "joined over a line end; the reading that ends there ({}) is kept too"
_CUT = "ends or begins at a line end within a cell; the reading across it is kept too"
_NO_HYPHEN = ", without the hyphen at the line's end"


def alternatives(text: str, joints: Sequence[int]) -> Iterator[Candidate]:
    """Yield the joined readings at the line ends `joints` of `text`; each spans from the one line to the other."""
    language = detect_language(text)
    for joint in joints[:MAX_JOINTS]:
        yield from _at(text, joint, language)


def _at(text: str, joint: int, language: Language) -> Iterator[Candidate]:
    rest = joint + 1 + len(text[joint + 1 : joint + 200]) - len(text[joint + 1 : joint + 200].lstrip())
    before, after = text[max(0, joint - _BEFORE) : joint], text[rest : rest + _AFTER]
    short = _ending_at(before, after, language)
    for tail, words in ((before, ""), (before[:-1], _NO_HYPHEN)):
        if words and not before.endswith("-"):
            return
        for found in _found(tail + after, language):
            start, end = found.span
            if found.type in _JOINED and start < len(tail) < end:
                span = (joint - len(before) + start, rest + end - len(tail))
                yield _weighed(found._replace(span=span), short, words)


def cut_readings(text: str, cuts: Sequence[int]) -> Iterator[Candidate]:
    """Yield the values that end or begin at line ends within a table's cells, which `text` reads across."""
    language = detect_language(text)
    for cut in cuts[:MAX_JOINTS]:
        before = text[max(0, cut - _BEFORE) : cut].rsplit("\n", 1)[-1]
        after = text[cut : cut + _AFTER].split("\n", 1)[0]
        for found in _found(f"{before}\n{after}", language):
            start, end = found.span
            if end == len(before) or start == len(before) + 1:
                shift = cut - len(before) - (start > len(before))
                confidence = min(_DOUBTFUL, found.confidence)
                yield found._replace(span=(start + shift, end + shift), confidence=confidence, why=_CUT)


def _found(text: str, language: Language) -> Iterator[Candidate]:
    yield from EXTRACTOR.extract(ReadingContext(text, language))


def _ending_at(before: str, after: str, language: Language) -> Candidate | None:
    """Return the value that ends with the line, where there is one."""
    run = _RUN_END.search(before)
    least = run.start() if run else len(before)
    ending = (c for c in _found(f"{before}\n{after}", language) if least <= c.span[0] < len(before) >= c.span[1])
    return next((c for c in ending if c.type in _JOINED), None)


def _weighed(found: Candidate, short: Candidate | None, words: str) -> Candidate:
    if short is None and not words:
        return found._replace(confidence=max(_DOUBTFUL, found.confidence - _LESS_SURE), why=_ONLY)
    why = (_EITHER.format(short.value) if short else _ONLY) + words
    attributes = dict(found.attributes) | ({"alternative_to": short.value} if short else {})
    return found._replace(confidence=min(_DOUBTFUL, found.confidence), why=why, attributes=attributes)
