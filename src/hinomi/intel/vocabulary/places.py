"""Countries and sectors, in English and Japanese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from hinomi.intel.vocabulary.loading import read_yaml
from hinomi.intel.vocabulary.trie import PhraseFinder, trie_pattern
from hinomi.intel.vocabulary.words import TextWords, same_length_lower, split_words


@dataclass(frozen=True, slots=True)
class Place:
    """A country or sector named at `start:end`."""

    start: int
    end: int
    canonical: str
    code: str = ""
    sure: bool = True


@cache
def _countries() -> tuple[frozenset[str], re.Pattern[str], re.Pattern[str], dict[str, tuple[str, str]]]:
    """Return the first words of the English forms, both languages' patterns, and each form's country and code."""
    table: dict[str, list[str]] = read_yaml("countries.yml")
    forms = {form: (names[0], code) for code, names in table.items() for form in names}
    english = [form for form in forms if form[0] < "\u3000"]
    firsts = frozenset(split_words(same_length_lower(form))[0][2] for form in english)
    japanese = forms.keys() - set(english)
    return firsts, re.compile(trie_pattern(english)), re.compile(trie_pattern(japanese)), forms


def is_country(word: str) -> bool:
    """Tell whether a word is an English form of a country's name."""
    return word in _countries()[3]


# Around Japanese: part of a longer katakana or kanji word, or of a word that means something else (日本語, 中国製).
_JA_BEFORE = re.compile(r"[ァ-ヺー一-鿿]")
_JA_AFTER = re.compile(r"語|ー|経済新聞|海|人民銀行|時間|標準時|円|料理|[ァ-ヺ]")


def countries(text: str, words: TextWords) -> Iterator[Place]:
    """Yield the countries named in `text` (folded), adjectives too. Capital letters count: `us` is no country.

    `words` are those of the text in lower case.
    """
    firsts, english, japanese, forms = _countries()
    end = 0
    for number in words.numbers(words.places.keys() & firsts):
        found = english.match(text, words.all[number][0])
        if found and found.start() >= end:
            end = found.end()
            if _stands_alone(text, found):
                yield Place(found.start(), end, *forms[found[0]])
    for found in japanese.finditer(text) if not text.isascii() else ():
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 4]
        if not _JA_BEFORE.match(before) and (not _JA_AFTER.match(after) or _COMPOUND.match(after)):
            yield Place(*found.span(), *forms[found[0]])


def _stands_alone(text: str, found: re.Match[str]) -> bool:
    """Whether an English form is no piece of a longer word, host or path."""
    before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 2]
    return not (
        _WORDLIKE.match(before)
        or before in {".", "/", "-"}
        or _WORDLIKE.match(after)
        or (after[:1] in {".", "/"} and after[1:].isalnum())
    )


_WORDLIKE = re.compile(r"[A-Za-z0-9_@]")
_COMPOUND = re.compile(r"サイバー|グループ|アクター|ハッカー|チーム|マルウ")


_JA_TAIL = (
    "企業|会社|業界|産業|機関|組織|分野|セクター|事業者|団体|業種|部門|関係者|省庁|業者|施設|法人|サービス業|メーカー"
)
_EN_TAIL = (
    r"(?:[ -]related)? (?:sectors?|industry|industries|companies|organi[sz]ations?|firms?|institutions?|entities|"
    r"verticals?|"
    r"contractors?|providers?|agencies|businesses|enterprises|operators|targets|victims|customers|networks)(?![a-z])"
)
_TAIL = re.compile(
    rf"{_EN_TAIL}|(?:(?:など|等)?の?(?:複数の?|各|大手|国内)?|関連の?|系の?|に関連する|に関わる)(?:{_JA_TAIL})"
)
_AND = re.compile(r", and |, or |, | and | or | & |/|、|・|,|や|と|および|及び|並びに|、ならびに|(?:関連|業界)?、")


@cache
def _sectors() -> tuple[PhraseFinder, dict[str, tuple[str, bool]]]:
    """Return the finder of all phrases, and for each its sector and whether it names it by itself."""
    table: dict[str, dict[str, list[str]]] = read_yaml("sectors.yml")
    owner = {form.lower(): (sector, False) for sector, forms in table.items() for form in forms["listed"]}
    owner |= {form.lower(): (sector, True) for sector, forms in table.items() for form in forms["alone"]}
    return PhraseFinder(owner), owner


def sectors(lowered: str, words: TextWords) -> Iterator[Place]:
    """Yield the sectors named in `lowered` (folded, lower case): by themselves or in a list before 企業 or `sector`."""
    finder, owner = _sectors()
    chain: list[Place] = []
    for start, end in finder.find(lowered, words):
        sector, alone = owner[lowered[start:end]]
        if chain and not _AND.fullmatch(lowered, chain[-1].end, start):
            chain = []
        chain.append(Place(start, end, sector))
        if alone:
            yield chain.pop()
        elif _TAIL.match(lowered, end):
            yield from chain
            chain = []
