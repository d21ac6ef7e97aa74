"""Many keys looked for at the words of a text, in one pass: names over several words, phrases that begin at a word.

The same is there in C (`intel/native/keys.c`): every word of a report is asked whether it begins one of the names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from hinomi.intel.native import compiled
from hinomi.intel.vocabulary.words import TextWords, Word

MAX_WORDS = 5
HEAD = 7
"""Letters by which the words that may begin a name are told from the others."""
_PHRASE_HEAD = 3
_GAP = re.compile(r" ?[-_.・] ?| ")
_MAX_GAP = 3


class NameKeys:
    """Names without what stands between their words, found in words that stand together.

    What begins none of the `small` keys begins a name only with a capital, where it is not a key by itself.
    """

    def __init__(self, keys: Iterable[str], small: Iterable[str]) -> None:
        self._keys, small = sorted(set(keys)), sorted(set(small))
        self._native = compiled("keys")
        if self._native:
            self._compiled = self._native.sorted_keys(self._keys), self._native.sorted_keys(small)
        else:
            self._known = set(self._keys)
            self._heads, self._small = _heads(self._keys), _heads(small)

    def find(self, text: str, words: TextWords) -> list[tuple[int, int, str]]:
        """Return (start, end, key) of the longest names, from left to right; `words` are the text's in lower case."""
        if self._native:
            found = self._native.names(*self._compiled, text, words.lowered, words.all)
            return [(start, end, self._keys[number]) for start, end, number in found]
        return self._find(text, words)

    def _find(self, text: str, words: TextWords) -> list[tuple[int, int, str]]:
        found: list[tuple[int, int, str]] = []
        known, small = self._known, self._small
        free = 0
        for number in words.numbers([w for w in words.places if w.rstrip("ー")[:HEAD] in self._heads]):
            start, _, word = words.all[number]
            lower = "a" <= text[start] <= "z" and word not in known and word[:HEAD] not in small
            if number >= free and not lower and (hit := self._longest(words, number)):
                end, key, free = hit
                found.append((start, end, key))
        return found

    def _longest(self, words: TextWords, first: int) -> tuple[int, str, int] | None:
        """Return end, key and the number of the next word of the longest name from word `first` on."""
        best = None
        key = ""
        for number in range(first, min(first + MAX_WORDS, len(words.all))):
            if number > first and not _joined(words.lowered, words.all, number):
                break
            key += words.all[number][2]
            short = key.rstrip("ー")
            if short[:HEAD] not in self._heads:
                break
            if short in self._known:
                best = words.all[number][1], short, number + 1
        return best


def _heads(keys: Sequence[str]) -> set[str]:
    return {key[:size] for key in keys for size in range(1, HEAD + 1)}


def _joined(lowered: str, words: Sequence[Word], number: int) -> bool:
    gap = lowered[words[number - 1][1] : words[number][0]]
    return len(gap) <= _MAX_GAP and _GAP.fullmatch(gap) is not None


class PhraseKeys:
    """Phrases that are looked for at the beginnings of words."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = sorted(set(keys))
        self._native = compiled("keys")
        if self._native:
            self._compiled = self._native.sorted_keys(self._keys)
        else:
            self._by_head: defaultdict[str, list[str]] = defaultdict(list)
            for key in self._keys:
                self._by_head[key[:_PHRASE_HEAD]].append(key)

    def find(self, words: TextWords) -> list[tuple[int, str]]:
        """Return (number of the word, key) where a key stands at a word's beginning, by word, the shortest first."""
        if self._native:
            found = self._native.phrases(self._compiled, words.lowered, words.all)
            return [(number, self._keys[key]) for number, key in found]
        starts = enumerate(start for start, _, _ in words.all)
        return [(number, key) for number, start in starts for key in self._at(words.lowered, start)]

    def _at(self, lowered: str, start: int) -> list[str]:
        heads = dict.fromkeys(lowered[start : start + size] for size in range(1, _PHRASE_HEAD + 1))
        return [key for head in heads for key in self._by_head.get(head, ()) if lowered.startswith(key, start)]
