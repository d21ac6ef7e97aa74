"""Countries and sectors, in English and Japanese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from hinomi.intel.vocabulary.loading import read_yaml
from hinomi.intel.vocabulary.trie import trie_pattern


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
    english = trie_pattern(f for f in forms if f.isascii() or f[0] < "\u3000")
    japanese = trie_pattern(f for f in forms if f[0] >= "\u3000")
    source = (
        rf"(?<![A-Za-z0-9_.@/-])(?P<en>{english})(?![A-Za-z0-9_@]|[./][A-Za-z0-9])"
        rf"|(?<![ァ-ヺー一-鿿])(?P<ja>{japanese})(?!語|製|ー|経済新聞|海|ネシア|人民銀行|時間|標準時|円|料理)"
    )
    return re.compile(source), forms


def countries(text: str) -> Iterator[Place]:
    """Yield the countries named in `text` (folded), adjectives too. Capital letters count: `us` is no country."""
    pattern, forms = _countries()
    for found in pattern.finditer(text):
        canonical, code = forms[found[0]]
        yield Place(found.start(), found.end(), canonical, code)


_JA_TAIL = "企業|会社|業界|産業|機関|組織|分野|セクター|事業者|団体|業種|部門|関係者|省庁|業者|施設|法人|サービス業|メーカー"
_EN_TAIL = (
    "sectors?|industry|industries|companies|organi[sz]ations?|firms?|institutions?|entities|verticals?|contractors?|providers?|"
    "agencies|businesses|enterprises|operators|targets|victims|customers|networks"
)


@cache
def _sectors() -> tuple[re.Pattern[str], re.Pattern[str], dict[str, str]]:
    table: dict[str, dict[str, list[str]]] = read_yaml("sectors.yml")
    owner: dict[str, str] = {}
    alone: list[str] = []
    listed: list[str] = []
    for sector, forms in table.items():
        alone += forms["alone"]
        listed += forms["listed"]
        owner |= {form.lower(): sector for form in (*forms["alone"], *forms["listed"])}
    en_alone = trie_pattern(f.lower() for f in alone if f.isascii())
    ja_alone = trie_pattern(f for f in alone if not f.isascii())
    en_term = trie_pattern(f.lower() for f in listed if f.isascii())
    ja_term = trie_pattern(f for f in listed if not f.isascii() or f in {"IT", "EC", "NGO"}).replace("IT", "it")
    one = rf"(?<![a-z0-9])(?:{en_alone})(?![a-z0-9-])|(?:{ja_alone})"
    ja_list = rf"(?:{ja_term})(?:(?:、|・|,|や|と|および|及び|並びに|、ならびに)(?:{ja_term})){{0,12}}(?:(?:など|等)?の?(?:複数の?|各|大手|国内)?|関連の?|系の?|に関連する|に関わる)(?:{_JA_TAIL})"
    en_list = rf"(?<![a-z0-9])(?:{en_term})(?:(?:, and |, or |, | and | or | & |/)(?:the )?(?:{en_term})){{0,12}}(?:[ -]related)? (?:{_EN_TAIL})(?![a-z])"
    terms = re.compile(rf"(?<![a-z0-9])(?:{en_term})(?![a-z])|(?:{ja_term})")
    return re.compile(f"(?P<one>{one})|(?P<list>{ja_list}|{en_list})"), terms, owner


def sectors(text: str) -> Iterator[Place]:
    """Yield the sectors named in `text` (folded): by themselves or in a list before 企業 or `sector`."""
    pattern, terms, owner = _sectors()
    lowered = text.lower()
    if len(lowered) != len(text):  # a character without a single lower-case twin: offsets would shift
        lowered = text
    for found in pattern.finditer(lowered):
        if found["one"]:
            yield Place(found.start(), found.end(), owner[found[0]])
            continue
        for term in terms.finditer(found[0]):
            yield Place(found.start() + term.start(), found.start() + term.end(), owner[term[0]])
