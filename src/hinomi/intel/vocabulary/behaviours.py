"""Behaviours and the bilingual phrases that tell them, compiled into one cue index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from hinomi.intel.vocabulary.keys import PhraseKeys
from hinomi.intel.vocabulary.loading import read_yaml
from hinomi.intel.vocabulary.trie import trie_pattern
from hinomi.intel.vocabulary.words import TextWords, Word


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A behaviour of `hinomi/rules/behaviours.yml`; a `common` one is part of most intrusions."""

    id: str
    en: str
    ja: str
    attack: tuple[str, ...]
    common: bool = False


@dataclass(frozen=True, slots=True)
class PhraseRule:
    """`behaviour` holds where every set of cue numbers in `wanted` is met and none of `unwanted`."""

    behaviour: str
    wanted: tuple[frozenset[int], ...]
    unwanted: frozenset[int]
    advice: bool


class Cue(NamedTuple):
    """A cue at `start:end` of a text."""

    number: int
    start: int
    end: int


@cache
def behaviours() -> dict[str, Behaviour]:
    """Return every behaviour by its id."""
    import yaml

    data = (files("hinomi") / "rules" / "behaviours.yml").read_bytes()
    table: dict[str, dict[str, Any]] = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {
        k: Behaviour(k, v["en"], v["ja"], tuple(v.get("attack", ())), bool(v.get("common"))) for k, v in table.items()
    }


class CueIndex:
    """Finds every cue of every rule in one pass; English cues at word beginnings, Japanese ones anywhere."""

    def __init__(self, cues: Iterable[str]) -> None:
        ordered = sorted(set(cues))
        self.numbers = {cue: number for number, cue in enumerate(ordered)}
        english = [cue for cue in ordered if cue[0].isascii()]
        japanese = [cue for cue in ordered if not cue[0].isascii()]
        self._english: dict[str, list[tuple[int, _Ends]]] = {}
        for cue in english:
            whole, first = cue.removesuffix("|"), _ONE_WORD.match(cue)
            if first:
                ends: _Ends = "word" if cue != whole else "within" if first[0] == cue else "beyond"
                self._english.setdefault(whole, []).append((self.numbers[cue], ends))
        self._phrases = PhraseKeys(self._english)
        known = set(japanese)
        self._shorter = {cue: [cue[:n] for n in range(len(cue), 0, -1) if cue[:n] in known] for cue in japanese}
        self._pattern = re.compile(f"(?=({trie_pattern(japanese)}))")
        self._longest = max(map(len, japanese), default=0)

    def find(self, text: str, words: TextWords) -> Iterator[tuple[int, int, int]]:
        """Yield (number, start, end) of the cues in `text`: the English ones first, each by its place.

        The text is in lower case, and `words` are its words.
        """
        hits = (hit for number, key in self._phrases.find(words) for hit in self._of_key(key, words.all[number]))
        for start, _, cue_number, end in sorted(hits):
            yield cue_number, start, end
        for run in _NOT_ASCII.finditer(text) if not text.isascii() else ():
            for found in self._pattern.finditer(text, run.start(), run.end() + self._longest):
                if found.start() >= run.end():
                    break
                for cue in self._shorter[found[1]]:
                    yield self.numbers[cue], found.start(), found.start() + len(cue)

    def _of_key(self, key: str, word: Word) -> Iterator[tuple[int, int, int, int]]:
        """Yield (start, rank, number, end) of the cues written as `key`, which stands where `word` begins.

        The rank tells the cues of one place apart: the word itself, its longest beginning, the shortest longer one.
        """
        start, end, _ = word
        size = len(key)
        for number, ends in self._english[key]:
            if ends == "word" and size == end - start:
                yield start, -_LONGEST_CUE, number, end
            elif ends == "within" and size <= end - start:
                yield start, -size, number, start + size
            elif ends == "beyond" and size > end - start:
                yield start, size, number, start + size


_Ends = Literal["word", "within", "beyond"]
"""Where an English cue ends: with the word it begins at, anywhere within it, or behind it."""
_LONGEST_CUE = 1 << 16
_ONE_WORD = re.compile(r"[a-z0-9]+")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
"""Where cues that are not English begin."""


@cache
def phrase_rules() -> tuple[CueIndex, tuple[PhraseRule, ...]]:
    """Return the cue index and the rules over its numbers."""
    data: dict[str, Any] = read_yaml("behaviour_phrases.yml")
    groups: dict[str, list[str]] = data["groups"]
    raw = [
        (
            str(rule["id"]),
            [_flatten(line, groups) for line in rule["all"]],
            _flatten(rule.get("none", ()), groups),
            bool(rule.get("advice")),
        )
        for rule in data["rules"]
    ]
    index = CueIndex(cue for _, wanted, unwanted, _ in raw for line in [*wanted, unwanted] for cue in line)
    numbers = index.numbers
    rules = tuple(
        PhraseRule(
            id_,
            tuple(frozenset(numbers[c] for c in line) for line in wanted),
            frozenset(numbers[c] for c in unwanted),
            advice,
        )
        for id_, wanted, unwanted, advice in raw
    )
    return index, rules


def _flatten(line: Iterable[object], groups: dict[str, list[str]]) -> list[str]:
    cues: list[str] = []
    for cue in line:
        text = str(cue)
        cues += [str(c).lower() for c in groups[text[1:]]] if text.startswith("$") else [text.lower()]
    return cues
