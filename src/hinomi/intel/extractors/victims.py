"""Whom and when: sectors, countries, dates and campaigns that a text names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.names.words import lowered_of, words_of
from hinomi.intel.vocabulary.places import countries, sectors
from hinomi.model.claims import ClaimRole

_TARGETED = re.compile(
    r"(?i)target|victim|against|affect|compromis|attack(?:ed|s)? on|hit\b|標的|狙|被害|に対する攻撃|影響範囲|を攻撃|"
    r"向け"
)
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(m.capitalize() for m in _MONTHS) + "|" + "|".join(m[:3].capitalize() + r"\.?" for m in _MONTHS)
_DATE = re.compile(
    rf"(?<![\d.])(?P<y>(?:19|20)\d\d) ?年(?: ?(?P<m>\d{{1,2}}) ?月(?: ?(?P<d>\d{{1,2}}) ?日)?)?"
    rf"|(?<![\d./-])(?P<y2>(?:19|20)\d\d)[-/](?P<m2>\d{{2}})[-/](?P<d2>\d{{2}})(?![\d./-])"
    rf"|(?<![A-Za-z])(?P<mon>{_MONTH}) (?:(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,? )?(?P<y3>(?:19|20)\d\d)(?!\d)"
    rf"|(?<!\d)(?P<d4>\d{{1,2}})(?:st|nd|rd|th)? (?P<mon4>{_MONTH}),? (?P<y4>(?:19|20)\d\d)(?!\d)"
)
_YEAR = re.compile(r"(?:19|20)\d\d(?!(?<=[0-9A-Za-z]....)[0-9A-Za-z])")  # not within a hash
_OPERATION = re.compile(
    r"Operation(?<![A-Za-z]Operation) [A-Z][A-Za-z0-9-]{2,24}(?: [A-Z][A-Za-z0-9-]{1,20})?(?![A-Za-z])"
)
_SAID_JA = re.compile(r"「([^「」\n]{2,24})」(?:作戦|と(?:呼ばれる|名付けられた)(?:攻撃)?キャンペーン)")
_OPERATION_NOT = frozenset(
    {"Operation Center", "Operation Centre", "Operation System", "Operation Team", "Operation Manager"}
)


class VictimsExtractor:
    """Yields sector, country, date and campaign candidates."""

    name = "victims"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield candidates; role `victim` where the sentence says that they are attacked."""
        text = context.folded.text
        for place in sectors(lowered_of(context), words_of(context)):
            yield _place(context, "sector", place.start, place.end, place.canonical, {})
        for place in countries(text, words_of(context)):
            yield _place(context, "country", place.start, place.end, place.canonical, {"code": place.code})
        yield from _dates(context, text)
        yield from _campaigns(context, text)


def _place(
    context: ReadingContext, kind: str, start: int, end: int, canonical: str, attributes: dict[str, str]
) -> Candidate:
    text = context.folded.text
    around = text[max(0, start - 60) : end + 40]
    role: ClaimRole = "victim" if _TARGETED.search(around) else "mentioned"
    return Candidate(
        type="sector" if kind == "sector" else "country", value=text[start:end], span=context.folded.span(start, end),
        role=role, confidence=75 if role == "victim" else 60, why=f"names the {kind}", canonical=canonical,
        attributes=dict(attributes),
    )  # fmt: skip


def _dates(context: ReadingContext, text: str) -> Iterator[Candidate]:
    last = 0
    for year in _YEAR.finditer(text):
        start = max(last, year.start() - 18)
        found = _DATE.search(text, start, year.end() + 12)
        value = _iso(found) if found else None
        if found and value:
            last = found.end()
            span = context.folded.span(found.start(), last)
            yield Candidate(type="date", value=value, span=span, confidence=60, why="a date")


def _iso(found: re.Match[str]) -> str | None:
    year = found["y"] or found["y2"] or found["y3"] or found["y4"]
    word = found["mon"] or found["mon4"]
    month = int(found["m"] or found["m2"] or 0) if not word else _month(word)
    day = int(found["d"] or found["d2"] or found["d3"] or found["d4"] or 0)
    if month > 12 or day > 31:
        return None
    return year + (f"-{month:02d}" if month else "") + (f"-{day:02d}" if month and day else "")


def _month(word: str) -> int:
    return next(n for n, name in enumerate(_MONTHS, 1) if name.startswith(word.lower().rstrip(".")[:3]))


def _campaigns(context: ReadingContext, text: str) -> Iterator[Candidate]:
    for start, value in _campaign_names(text):
        yield Candidate(
            type="campaign", value=value, span=context.folded.span(start, start + len(value)), confidence=70,
            why="named as a campaign", canonical=value,
        )  # fmt: skip


def _campaign_names(text: str) -> Iterator[tuple[int, str]]:
    for found in _OPERATION.finditer(text):
        if found[0] not in _OPERATION_NOT:
            yield found.start(), found[0]
    for found in _SAID_JA.finditer(text) if "「" in text else ():
        if found[1] not in _OPERATION_NOT:
            yield found.start(1), found[1]


EXTRACTOR = VictimsExtractor()
