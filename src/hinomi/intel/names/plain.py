"""Unknown names that look like any capitalised word: "the Kaze backdoor", "the dropper Yureki drops ..."."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator

from hinomi.intel.vocabulary.classes import ClassWord
from hinomi.intel.vocabulary.names import name_index
from hinomi.intel.vocabulary.places import is_country
from hinomi.intel.vocabulary.products import product_index

_PLAIN = r"[A-Z][a-z]{2,20}(?: [A-Z][a-z]{2,20})?"
_NAMING = frozenset(
    "backdoor trojan ransomware loader dropper downloader stealer infostealer rootkit bootkit botnet worm wiper "
    "implant webshell keylogger spyware rat banker miner".split()
)
"""Class words that follow a name rather than a description."""
_AFTER_NAMING = _NAMING | {"malware", "actor", "threat actor", "group", "gang", "cluster", "campaign"}
_BEFORE = re.compile(
    rf"\b(?:[Tt]he|[Aa]n?|[Ii]ts|[Tt]heir|this|new|with|of|and|via|by|using|[a-z]{{2,12}}(?:s|ed|ing)) "
    rf"[\"'*_`]{{0,2}}(?P<name>{_PLAIN})[\"'*_`]{{0,2}} $"
)
_ARTICLE = re.compile(r"(?:^|\s)(?:[Tt]he|[Aa]n?|[Ii]ts|[Tt]heir) (?:[a-z-]{2,16} ){0,2}$")
_AFTER = re.compile(
    rf" [\"'*_`]{{0,2}}(?P<name>{_PLAIN})[\"'*_`]{{0,2}}(?= (?!(?:tracks?|calls?|names?|dubs?|dubbed|"
    r"found|discovered|refers?|identif|attribut|said|says|describ|report|observed|detect|analy[sz]|saw|has|had|have)\w*\b)[a-z]|[,.])"
)
_EVENT = re.compile(r" (?:incident|attack|infection|outbreak|case|breach|threat|landscape|crisis|event|victim|report)")
"""After a class word: `the Toyota ransomware incident` is named after whom it befell."""
_CALENDAR = frozenset((*calendar.day_name, *calendar.month_name, *calendar.month_abbr))
_NATIONAL = re.compile(r"(?:[a-z]ese|[a-z]ian|[a-z]ish|[a-z]based|[a-z]ly|[a-z]ing|[a-z]ed)\b")
_CONFIDENCE = 50


def plain_names(before: str, word: ClassWord, after: str, offset: int) -> Iterator[tuple[re.Match[str], int, int]]:
    """Yield (match with the group `name`, offset of the match's text, confidence) of plain names beside a class word.

    `before` begins at `offset` and ends at the word; `after` begins behind it.
    """
    if (
        word.word in _NAMING
        and not _EVENT.match(after)
        and (found := _BEFORE.search(before))
        and _may_name(found["name"])
    ):
        yield found, offset, _CONFIDENCE
    if word.word in _AFTER_NAMING and _ARTICLE.search(before):
        found = _AFTER.match(after)
        if found and _may_name(found["name"]):
            yield found, word.end, _CONFIDENCE


def _may_name(name: str) -> bool:
    """Whether no vocabulary knows the words as something else: a product, a nation, a known name."""
    pieces = (name, *name.split(" "))
    return _NATIONAL.search(name) is None and not any(
        piece in _CALENDAR or is_country(piece) or product_index().lookup(piece) or name_index().lookup(piece)
        for piece in pieces
    )
