"""Many literal phrases as one regular expression that branches by character: one pass, whatever their number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from hinomi.intel.vocabulary.words import TextWords

_END = ""


def trie_pattern(phrases: Iterable[str]) -> str:
    """Return a regular expression that matches any of `phrases`, the longest first."""
    root: dict[str, Any] = {}
    for phrase in phrases:
        node = root
        for character in phrase:
            node = node.setdefault(character, {})
        node[_END] = {}
    return _source(root)


def _source(node: dict[str, Any]) -> str:
    branches = [re.escape(c) + _source(child) for c, child in sorted(node.items()) if c != _END]
    if not branches:
        return ""
    optional = "?" if _END in node else ""
    return f"(?:{'|'.join(branches)}){optional}"


class PhraseFinder:
    """Finds lower-case phrases: English ones at the beginnings of given words, Japanese ones anywhere."""

    def __init__(self, phrases: Iterable[str]) -> None:
        known = sorted(set(phrases))
        english = [phrase for phrase in known if phrase.isascii()]
        japanese = [phrase for phrase in known if not phrase.isascii()]
        self._firsts = {found[0] for phrase in english if (found := _FIRST.match(phrase))}
        self._english = re.compile(trie_pattern(english))
        self._japanese = re.compile(trie_pattern(japanese)) if japanese else None

    def find(self, lowered: str, words: TextWords) -> list[tuple[int, int]]:
        """Return (start, end) of the phrases in `lowered`, whose words are `words`, by start; English ones whole."""
        spans: list[tuple[int, int]] = []
        match = self._english.match
        last = 0
        for number in words.numbers(words.places.keys() & self._firsts):
            start = words.all[number][0]
            if start >= last and (found := match(lowered, start)):
                after, before = lowered[found.end() : found.end() + 1], lowered[start - 1 : start]
                if not _inside(after) and not _inside(before):
                    last = found.end()
                    spans.append((start, last))
        if self._japanese is not None and not lowered.isascii():
            spans += [found.span() for found in self._japanese.finditer(lowered)]
            spans.sort()
        return spans


_JOINED = frozenset({"_", "@"})
_FIRST = re.compile(r"[0-9a-z]+")


def _inside(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character in _JOINED)
