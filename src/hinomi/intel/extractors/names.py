"""Actors, malware, tools and campaigns: by the vocabulary of public names, and by how the text introduces them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.names.known import Known, judge
from hinomi.intel.names.unknown import Introduced, introduced
from hinomi.intel.vocabulary.classes import NameType
from hinomi.intel.vocabulary.names import compact, name_index

_MAX_PASSAGE = 2000
_CLASS_TAIL = re.compile(r"(?i)[ -](?:RAT|ransomware|malware|trojan|backdoor|stealer|loader|group|team|gang|botnet)$")


class NamesExtractor:
    """Yields actor, malware, tool and campaign candidates with their canonical names."""

    name = "names"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield known names first, then names the text introduces that are not known ones."""
        text = context.folded.text
        known = judge(text, list(name_index().find(text)))
        written: dict[str, str] = {}
        yield from (_known_candidate(context, item, written) for item in known)
        taken = _Taken(known)
        yield from _introduced_candidates(context, text, taken)


class _Taken:
    """What is already claimed: spans of known names and the forms seen so far."""

    def __init__(self, known: list[Known]) -> None:
        self.starts = {offset for item in known for offset in range(item.start, item.end)}

    def overlaps(self, start: int, end: int) -> bool:
        return any(offset in self.starts for offset in (start, end - 1))


def _known_candidate(context: ReadingContext, item: Known, written_as: dict[str, str]) -> Candidate:
    end = _without_class(context.folded.text, item)
    span = context.folded.span(item.start, end)
    canonical = item.form.name.canonical
    written = context.folded.text[item.start : end]
    same = compact(written) == compact(canonical)
    written = written_as.setdefault(compact(written), canonical if same and not written.isupper() else written)
    attributes = {"attack": item.form.name.attack} if item.form.name.attack else {}
    why = "known name" if written == canonical else f"matched as {written}"
    return Candidate(
        type=item.type, value=written, span=span, confidence=item.confidence, why=why, canonical=canonical,
        attributes=attributes,
    )  # fmt: skip


def _without_class(text: str, item: Known) -> int:
    """Where the name ends without a trailing class word, if that is a form of the same name (`NanoCore RAT`)."""
    found = _CLASS_TAIL.search(text[item.start : item.end])
    if found:
        shorter = text[item.start : item.start + found.start()]
        if any(form.name is item.form.name for form in name_index().lookup(shorter)):
            return item.start + found.start()
    return item.end


def _introduced_candidates(context: ReadingContext, text: str, taken: _Taken) -> Iterator[Candidate]:
    found: dict[str, tuple[str, NameType, int, str]] = {}
    spans: dict[str, list[tuple[int, int]]] = {}
    for start, passage in _passages(text):
        for item in introduced(passage):
            if taken.overlaps(start + item.start, start + item.end):
                continue
            key = compact(item.name)
            best = found.get(key)
            if best is None or item.confidence > best[2]:
                found[key] = (item.name, item.type, item.confidence, item.phrase)
            spans.setdefault(key, []).append((start + item.start, start + item.end))
    for key, (name, name_type, confidence, phrase) in found.items():
        if _is_common(name, text):
            continue
        for start, end in sorted(set(spans[key])):
            yield Candidate(
                type=name_type, value=name, span=context.folded.span(start, end), confidence=confidence,
                why=f"introduced by: {phrase}", canonical=name,
            )  # fmt: skip


def _is_common(name: str, text: str) -> bool:
    """Whether the same text also writes the name as a plain lower-case word."""
    return name.isascii() and re.search(rf"(?<![\w/.-]){re.escape(name.lower())}(?![\w/.-])", text) is not None and not name.islower()


def _passages(text: str) -> Iterator[tuple[int, str]]:
    """Yield (offset, line), long lines in pieces, so that no pattern looks further than it should."""
    offset = 0
    for line in text.splitlines(keepends=True):
        for start in range(0, len(line), _MAX_PASSAGE):
            yield offset + start, line[start : start + _MAX_PASSAGE]
        offset += len(line)


EXTRACTOR = NamesExtractor()


__all__ = ["EXTRACTOR", "Introduced", "NamesExtractor"]
