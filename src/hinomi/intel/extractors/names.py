"""Actors, malware, tools and campaigns: by the vocabulary of public names, and by how the text introduces them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.literals import occurrences
from hinomi.intel.names.known import Known, judge
from hinomi.intel.names.unknown import ALSO_HINTS, also_named, introduced
from hinomi.intel.names.words import lowered_of, words_of
from hinomi.intel.vocabulary.classes import ClassWord, NameType, class_words
from hinomi.intel.vocabulary.names import Kind, compact, name_index
from hinomi.intel.vocabulary.words import same_length_lower, split_words

_CLASS_TAIL = re.compile(r"(?i)[ -](?:RAT|ransomware|malware|trojan|backdoor|stealer|loader|group|team|gang|botnet)$")


class NamesExtractor:
    """Yields actor, malware, tool and campaign candidates with their canonical names."""

    name = "names"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield known names first, then names the text introduces that are not known ones."""
        text = context.folded.text
        words = list(class_words(text, lowered_of(context), words_of(context)))
        known = judge(text, list(name_index().find(text, words_of(context))), words)
        written: dict[str, str] = {}
        yield from (_known_candidate(context, item, written) for item in known)
        taken = _Taken(known)
        found = list(_introduced_candidates(context, words, taken))
        yield from found
        yield from _also_named(context, [*_types_at(known), *_places_of(text, found)], taken)


def _types_at(known: Sequence[Known]) -> Iterator[tuple[int, Kind]]:
    return ((item.start, item.type) for item in known)


def _places_of(text: str, found: Sequence[Candidate]) -> Iterator[tuple[int, Kind]]:
    """Where the introduced names stand in the folded text, and what each is."""
    told = any(map(text.__contains__, ALSO_HINTS)) or ("(" in text and not text.isascii())
    for candidate in {c.value: c for c in found}.values() if told else ():
        kind = _NAME_TYPES[candidate.type]
        yield from ((place, kind) for place in occurrences(text, (candidate.value,))[:_MAX_FURTHER])


def _also_named(context: ReadingContext, told: Iterable[tuple[int, Kind]], taken: _Taken) -> Iterator[Candidate]:
    """Names given for one thing are of one kind: that of the one whose kind is known."""
    kinds = dict(told)
    for names in also_named(context.folded.text):
        kind = next((kinds[start] for start, _ in names if start in kinds), None)
        for start, name in names if kind else ():
            if start not in kinds and not taken.overlaps(start, start + len(name)):
                yield Candidate(
                    type=kind or "actor", value=name, span=context.folded.span(start, start + len(name)),
                    confidence=70, why="given as another name", canonical=name,
                )  # fmt: skip


_NAME_TYPES: dict[str, Kind] = {"actor": "actor", "malware": "malware", "tool": "tool", "campaign": "campaign"}


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


def _introduced_candidates(context: ReadingContext, words: Sequence[ClassWord], taken: _Taken) -> Iterator[Candidate]:
    found: dict[str, tuple[str, NameType, int, str]] = {}
    spans: dict[str, list[tuple[int, int]]] = {}
    for item in introduced(context.folded.text, words, words_of(context)):
        if taken.overlaps(item.start, item.end):
            continue
        key = compact(item.name)
        best = found.get(key)
        if best is None or item.confidence > best[2]:
            found[key] = (item.name, item.type, item.confidence, item.phrase)
        spans.setdefault(key, []).append((item.start, item.end))
    for key, (name, name_type, confidence, phrase) in found.items():
        if name.isascii() and not name.islower() and _is_plain_word(context, name.casefold()):
            continue
        for start, end in sorted({*spans[key], *_further(context, name)}):
            yield Candidate(
                type=name_type, value=name, span=context.folded.span(start, end), confidence=confidence,
                why=f"introduced by: {phrase}", canonical=name,
            )  # fmt: skip


_MAX_FURTHER = 100


def _further(context: ReadingContext, name: str) -> Iterator[tuple[int, int]]:
    """Where else the text names it, without introducing it again: what it does is mostly said there."""
    text, words = context.folded.text, words_of(context)
    first = split_words(same_length_lower(name))
    if len(name) < 4 or not first:
        return
    for number in words.places.get(first[0][2], ())[:_MAX_FURTHER]:
        start = words.all[number][0] - first[0][0]
        end = start + len(name)
        around = text[max(0, start - 1) : start] + text[end : end + 1]
        if text.startswith(name, start) and not _in_value(text, start, end) and not _GLUED.search(around):
            yield start, end


_GLUED = re.compile(r"[A-Za-z0-9ァ-ヺー]")


def _is_plain_word(context: ReadingContext, name: str) -> bool:
    """Whether the text also writes the word in lower case: what stands among such words is no name."""
    text, words = context.folded.text, words_of(context)
    places = (words.all[number][:2] for number in words.places.get(name, ()))
    return any(text.startswith(name, start) and not _in_value(text, start, end) for start, end in places)


def _in_value(text: str, start: int, end: int) -> bool:
    """Whether the word at `start:end` is a piece of a path, a file's or a host's name."""
    before, after = text[max(0, start - 1) : start], text[end : end + 2]
    return before in _JOINTS or (after[:1] in _JOINTS and after[1:].isalnum())


_JOINTS = frozenset("./\\_@-")


EXTRACTOR = NamesExtractor()
