"""Behaviours and the bilingual phrases that tell them, compiled into one cue index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from hinomi.intel.vocabulary.loading import read_yaml
from hinomi.intel.vocabulary.trie import trie_pattern
from hinomi.intel.vocabulary.words import TextWords


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
        self._whole = {cue[:-1]: self.numbers[cue] for cue in english if cue.endswith("|")}
        self._begins = {cue: self.numbers[cue] for cue in english if not cue.endswith("|") and _ONE_WORD.fullmatch(cue)}
        self._longer: dict[str, list[str]] = {}
        for cue in english:
            if not cue.endswith("|") and not _ONE_WORD.fullmatch(cue):
                first = _ONE_WORD.match(cue)
                self._longer.setdefault(first[0] if first else "", []).append(cue)
        firsts = {cue: found[0] for cue in english if (found := _ONE_WORD.match(cue))}.values()
        self._heads = {first[:4] for first in firsts if len(first) > 3}
        self._short = {first for first in firsts if len(first) < 4}
        known = set(japanese)
        self._shorter = {cue: [cue[:n] for n in range(len(cue), 0, -1) if cue[:n] in known] for cue in japanese}
        self._pattern = re.compile(f"(?=({trie_pattern(japanese)}))")
        self._longest = max(map(len, japanese), default=0)
        self._cache: dict[str, tuple[tuple[int, int, str], ...]] = {}

    def find(self, text: str, words: TextWords) -> Iterator[tuple[int, int, int]]:
        """Yield (number, start, end) of the cues in `text`: the English ones first, each by its place.

        The text is in lower case, and `words` are its words.
        """
        heads, short = self._heads, self._short
        may = [w for w in words.places if w[:4] in heads or w[:3] in short or w[:2] in short]
        known = {word: cues for word in may if (cues := self._of_word(word))}
        for number in words.numbers(known):
            start, _, word = words.all[number]
            for cue_number, length, rest in known[word]:
                if not rest or text.startswith(rest, start):
                    yield cue_number, start, start + length
        for run in _NOT_ASCII.finditer(text) if not text.isascii() else ():
            for found in self._pattern.finditer(text, run.start(), run.end() + self._longest):
                if found.start() >= run.end():
                    break
                for cue in self._shorter[found[1]]:
                    yield self.numbers[cue], found.start(), found.start() + len(cue)

    def _of_word(self, word: str) -> tuple[tuple[int, int, str], ...]:
        """Return (number, length, cue where it goes on behind the word) of the cues that a word is or begins with.

        Kept for the commonest words.
        """
        if (kept := self._cache.get(word)) is not None:
            return kept
        beginnings = [word[:n] for n in range(min(len(word), _LONG_CUE), 0, -1)]
        begins = [(self._begins[one], len(one), "") for one in beginnings if one in self._begins]
        whole = [(self._whole[word], len(word), "")] if word in self._whole else []
        longer = [(self.numbers[cue], len(cue), cue) for cue in self._longer.get(word, ())]
        known = (*whole, *begins, *longer)
        if len(self._cache) < _CACHED_WORDS and len(word) < _LONG_WORD:
            self._cache[word] = known
        return known


_ONE_WORD = re.compile(r"[a-z0-9]+")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
"""Where cues that are not English begin."""
_CACHED_WORDS = 20_000
_LONG_WORD = 24
_LONG_CUE = 18


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
