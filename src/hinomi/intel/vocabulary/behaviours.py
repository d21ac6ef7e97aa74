"""Behaviours and the bilingual phrases that tell them, compiled into one cue index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hinomi.intel.vocabulary.loading import read_lines, read_yaml
from hinomi.intel.vocabulary.trie import trie_pattern


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A behaviour of `hinomi/rules/behaviours.yml`."""

    id: str
    en: str
    ja: str
    attack: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhraseRule:
    """`behaviour` holds where every set of cue numbers in `wanted` is met and none of `unwanted`."""

    behaviour: str
    wanted: tuple[frozenset[int], ...]
    unwanted: frozenset[int]
    advice: bool


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue at `start:end` of a text."""

    number: int
    start: int
    end: int


@cache
def behaviours() -> dict[str, Behaviour]:
    """Return every behaviour by its id."""
    import yaml

    data = (files("hinomi") / "rules" / "behaviours.yml").read_bytes()
    table: dict[str, dict[str, Any]] = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return {k: Behaviour(k, v["en"], v["ja"], tuple(v.get("attack", ()))) for k, v in table.items()}


@cache
def technique_names() -> dict[str, str]:
    """Return ATT&CK technique names by id; sub-techniques as `Parent: Name`."""
    names = {}
    for line in read_lines("techniques.tsv"):
        number, parent, name = line.split("\t")
        names[number] = f"{parent}: {name}" if "." in number and parent else name
    return names


class CueIndex:
    """Finds every cue of every rule in one pass; English cues at word beginnings, Japanese ones anywhere."""

    def __init__(self, cues: Iterable[str]) -> None:
        self._cues = sorted(set(cues))
        self.numbers = {cue: number for number, cue in enumerate(self._cues)}
        self._whole = {cue.rstrip("|") for cue in self._cues if cue.endswith("|")}
        bare = {cue.rstrip("|") for cue in self._cues}
        self._shorter = {cue: self._prefixes(cue, bare) for cue in bare}
        english = trie_pattern(c for c in bare if c[0].isascii() and c[0].isalnum())
        other = trie_pattern(c for c in bare if not (c[0].isascii() and c[0].isalnum()))
        self._pattern = re.compile(rf"(?<![a-z0-9])(?=({english}))|(?=({other}))")

    @staticmethod
    def _prefixes(cue: str, bare: set[str]) -> tuple[str, ...]:
        return tuple(cue[:n] for n in range(len(cue), 0, -1) if cue[:n] in bare)

    def find(self, text: str) -> Iterator[Cue]:
        """Yield the cues in `text`, which must be lower case."""
        for found in self._pattern.finditer(text):
            longest = found[1] or found[2]
            if not longest:
                continue
            for cue in self._shorter[longest]:
                end = found.start() + len(cue)
                if cue in self._whole and not (text[end : end + 1].isascii() and text[end : end + 1].isalnum()):
                    yield Cue(self.numbers[cue + "|"], found.start(), end)
                if cue in self.numbers:
                    yield Cue(self.numbers[cue], found.start(), end)


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
        PhraseRule(id_, tuple(frozenset(numbers[c] for c in line) for line in wanted), frozenset(numbers[c] for c in unwanted), advice)
        for id_, wanted, unwanted, advice in raw
    )
    return index, rules


def _flatten(line: Iterable[object], groups: dict[str, list[str]]) -> list[str]:
    cues: list[str] = []
    for cue in line:
        text = str(cue)
        cues += [str(c).lower() for c in groups[text[1:]]] if text.startswith("$") else [text.lower()]
    return cues
