"""Words that say what kind of thing a name beside them is, in English and Japanese."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

from hinomi.intel.vocabulary.loading import read_yaml, stopwords
from hinomi.intel.vocabulary.trie import PhraseFinder
from hinomi.intel.vocabulary.words import TextWords

NameType = Literal["actor", "malware", "tool", "campaign"]
_TYPES: dict[str, NameType] = {"actor": "actor", "malware": "malware", "tool": "tool", "campaign": "campaign"}

WEAK = stopwords("weak-classes")
"""Class words too weak to name something by themselves (`Windows samples`, `first payload`)."""


@cache
def types() -> dict[str, NameType]:
    """Return the type of every class word, keyed by its case-folded form."""
    table: dict[str, list[str]] = read_yaml("classes.yml")
    return {word.casefold(): _TYPES[kind.split("-")[0]] for kind, words in table.items() for word in words}


def type_of(class_word: str) -> NameType | None:
    """Return the type a class word gives; plural and case do not matter."""
    key = " ".join(class_word.casefold().split())
    return types().get(key) or types().get(key.removesuffix("s"))


class ClassWord(NamedTuple):
    """A class word at `start:end` of a text."""

    start: int
    end: int
    word: str
    type: NameType


@cache
def _finder() -> tuple[PhraseFinder, dict[str, NameType]]:
    by_word = {word.replace("-", " "): name_type for word, name_type in types().items()}
    hyphened = {word.replace(" ", "-") for word in by_word if word.isascii()}
    return PhraseFinder(by_word.keys() | hyphened), by_word


def class_words(text: str, lowered: str, words: TextWords) -> Iterator[ClassWord]:
    """Yield the class words of `text`: whole words in English (acronyms in capitals), anywhere in Japanese.

    `lowered` is `text` in lower case, offset by offset; `words` are its words.
    """
    finder, by_word = _finder()
    for start, end in finder.find(lowered, words):
        word = lowered[start:end]
        if word in _ACRONYMS and not text[start:end][:2].isupper():
            continue
        yield ClassWord(start, end, word, by_word[word.replace("-", " ")])


_ACRONYMS = frozenset({"rat", "rats", "apt", "ek"})
