"""Names of actors, malware and tools: an index over every form, matched in one pass over the text's words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from hinomi.intel.vocabulary.keys import NameKeys
from hinomi.intel.vocabulary.loading import read_lines, read_yaml
from hinomi.intel.vocabulary.words import TextWords, same_length_lower

Kind = Literal["actor", "malware", "tool", "campaign"]


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
        # Names are capitalised: a lower-case word begins one only where a form is written so, or is one by itself.
        small = [key for key, known in self._forms.items() if any(f.text[0].islower() for f in known)]
        self._keys = NameKeys(self._forms, small)

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
        return (Hit(start, end, self._forms[key]) for start, end, key in self._keys.find(text, words))


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
