"""Names of actors, malware and tools: an index over every form, matched in one pass over the text's words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from hinomi.intel.vocabulary.loading import read_lines, read_yaml
from hinomi.intel.vocabulary.words import HEAD, TextWords, Word, same_length_lower

Kind = Literal["actor", "malware", "tool", "campaign"]
MAX_WORDS = 5

_GAP = re.compile(r" ?[-_.・] ?| ")


@dataclass(frozen=True, slots=True)
class Name:
    """One entry: what it is, its canonical name and, where ATT&CK has it, its id."""

    kind: Kind
    canonical: str
    attack: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a name.

    `ordinary`: also a word of the language, so it needs a cue beside it; `common`: so common a word that only an
    unmistakable cue will do.
    """

    name: Name
    text: str
    ordinary: bool
    common: bool = False


class Hit(NamedTuple):
    """Forms of one key found at `start:end` of the matched text."""

    start: int
    end: int
    forms: tuple[Form, ...]


@lru_cache(maxsize=8192)  # a report says the same names again and again
def compact(text: str) -> str:
    """Return the form names are compared in: NFKC, case folded, letters and digits alone, small katakana levelled."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(c for c in plain if c.isalnum() or c == "ー").replace("ウエア", "ウェア").rstrip("ー")


class NameIndex:
    """Every form by its compact key."""

    def __init__(self, forms: list[Form]) -> None:
        self._forms: dict[str, tuple[Form, ...]] = {}
        for form in forms:
            key = compact(form.text)
            known = self._forms.get(key, ())
            if all((f.name.kind == "actor") != (form.name.kind == "actor") for f in known):
                self._forms[key] = (*known, form)
        self._heads = {key[:n] for key in self._forms for n in range(1, HEAD + 1)}
        # Names are capitalised: a lower-case word begins one only where a form is written so, or is one by itself.
        small = {key for key, known in self._forms.items() if any(f.text[0].islower() for f in known)}
        self._small_heads = {key[:n] for key in small for n in range(1, HEAD + 1)}

    def __len__(self) -> int:
        return len(self._forms)

    def lookup(self, text: str) -> tuple[Form, ...]:
        """Return the forms written like `text`."""
        return self._forms.get(compact(text), ())

    def find(self, text: str, words: TextWords | None = None) -> Iterator[Hit]:
        """Yield the longest hits from left to right, not overlapping. Linear: at most five words are joined.

        `words` are those of the text in lower case, where the caller has them already.
        """
        words = TextWords(same_length_lower(text)) if words is None else words
        all_, heads, small, forms = words.all, self._heads, self._small_heads, self._forms
        beginnings = [word for head in words.heads.keys() & self._heads for word in words.heads[head]]
        whole = {word for word in beginnings if word.rstrip("ー") in forms}
        capital = {word for word in beginnings if word not in forms and word[:HEAD] not in small}
        free = 0
        for number in words.numbers(beginnings):
            if number < free:
                continue
            start, end, word = all_[number]
            if word in capital and "a" <= text[start] <= "z":
                continue
            if word not in whole:  # it begins a name only together with the next word, right after it
                following = all_[number + 1] if number + 1 < len(all_) else None
                if following is None or following[0] - end > 3 or (word + following[2])[:HEAD] not in heads:
                    continue
            hit, taken = self._longest(text, all_, number)
            if hit is not None:
                free = number + taken
                yield hit

    def _longest(self, text: str, words: Sequence[Word], first: int) -> tuple[Hit | None, int]:
        start, end, key = words[first]
        best: Hit | None = None
        taken = 0
        for number in range(first, min(first + MAX_WORDS, len(words))):
            if number > first:
                gap = text[end : words[number][0]]
                if len(gap) > 3 or not _GAP.fullmatch(gap):
                    break
                end = words[number][1]
                key += words[number][2]
                if key[:HEAD] not in self._heads:
                    break
            forms = self._forms.get(key.rstrip("ー"))
            if forms:
                best, taken = Hit(start, end, forms), number - first + 1
        return best, taken


@cache
def name_index() -> NameIndex:
    """Return the index over the bundled names; ours come first and win."""
    return NameIndex([*_supplement(), *_galaxy()])


def _galaxy() -> Iterator[Form]:
    for line in read_lines("names.tsv.gz"):
        kind, canonical, attack, forms = line.split("\t")
        name = Name(kind, canonical, attack)  # type: ignore[arg-type]
        for form in forms.split("|"):
            yield Form(name, form.lstrip("?"), form.startswith("?"), form.startswith("??"))


def _supplement() -> Iterator[Form]:
    for entry in read_yaml("supplement.yml")["names"]:
        name = Name(entry["kind"], entry["canonical"], entry.get("attack", ""))
        for form in (entry["canonical"], *entry.get("forms", ())):
            yield Form(name, form, False)
        for form in entry.get("ordinary", ()):
            yield Form(name, form, True)
