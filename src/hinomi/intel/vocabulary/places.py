"""Countries and sectors, in English and Japanese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from hinomi.intel.vocabulary.loading import read_yaml
from hinomi.intel.vocabulary.trie import PhraseFinder, trie_pattern
from hinomi.intel.vocabulary.words import TextWords


@dataclass(frozen=True, slots=True)
class Place:
    """A country or sector named at `start:end`."""

    start: int
    end: int
    canonical: str
    code: str = ""
    sure: bool = True


@cache
def _countries() -> tuple[re.Pattern[str], dict[str, tuple[str, str]]]:
    table: dict[str, list[str]] = read_yaml("countries.yml")
    forms = {form: (names[0], code) for code, names in table.items() for form in names}
    return re.compile(trie_pattern(forms)), forms


# Around Japanese: part of a longer katakana or kanji word, or of a word that means something else (日本語, 中国製).
_JA_BEFORE = re.compile(r"[ァ-ヺー一-鿿]")
_JA_AFTER = re.compile(r"語|ー|経済新聞|海|人民銀行|時間|標準時|円|料理|[ァ-ヺ]")


def countries(text: str) -> Iterator[Place]:
    """Yield the countries named in `text` (folded), adjectives too. Capital letters count: `us` is no country."""
    pattern, forms = _countries()
    for found in pattern.finditer(text):
        start, end = found.span()
        before, after = text[start - 1 : start], text[end : end + 4]
        if found[0][0] < "\u3000":
            if (
                _WORDLIKE.match(before)
                or before in {".", "/", "-"}
                or _WORDLIKE.match(after)
                or (after[:1] in {".", "/"} and after[1:2].isalnum())
            ):
                continue
        elif _JA_BEFORE.match(before) or (_JA_AFTER.match(after) and not _COMPOUND.match(after)):
            continue
        canonical, code = forms[found[0]]
        yield Place(start, end, canonical, code)


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
