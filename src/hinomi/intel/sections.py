"""Text -> sections with roles, articles of a digest, sentences, title and date of publication."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hinomi.intel.extractor import ReadingContext, Sentence
from hinomi.intel.headings import Heading, Line, find_headings, lines_of
from hinomi.intel.language import detect_language, hard_wrapped, sentence_spans
from hinomi.model.claims import Document, Section, Span

_new = tuple.__new__
_MAX_TITLE = 120
_MARKING = re.compile(r"\W{0,4}TLP ?[:：] ?[A-Z+ ]{3,20}\W{0,4}", re.IGNORECASE)
"""How a report may be shared, above its title."""
_ARTICLE_ROLES = frozenset({"scope", "view", "mitigation", "sources", "summary"})
_LIST_LINE = re.compile(r"^\s*(?:[-*+•‣◦・✔✓☑□☐■●]|\d{1,3}[.)]\s|\||>)")


@dataclass(frozen=True, slots=True)
class _Article:
    """Headings `first..last` (numbers, end exclusive) form one article that begins at heading `first`."""

    first: int
    last: int


def context_of(document: Document) -> ReadingContext:
    """Return the reading context of a document: its language, sections and sentences."""
    lines = lines_of(document.text)
    wrapped = hard_wrapped([line.text for line in lines])
    headings = find_headings(lines, wrapped)
    sections = _sections(document, headings)
    title = document.title or _title(headings, lines)
    bare = ReadingContext(document.text, detect_language(document.text), title, tuple(sections))
    sentences = tuple(_sentences(bare, lines, headings, wrapped))
    return ReadingContext(
        document.text, bare.language, title, bare.sections, sentences, document.source,
        document.published or published_date(lines),
    )  # fmt: skip


def _title(headings: Sequence[Heading], lines: Sequence[Line]) -> str:
    first = next((line for line in lines if not line.blank and not _MARKING.fullmatch(line.bare)), None)
    if first is None:
        return ""
    heading = next((h for h in headings if h.level == 1 and h.role is None), None)
    if heading is None and headings and headings[0].span[0] == first.span[0] and headings[0].role is None:
        heading = headings[0]
    if heading is not None:
        return heading.text[:_MAX_TITLE]
    start, end = next(sentence_spans(first.text, 0, len(first.text)), (0, len(first.text)))
    words = first.text[start:end].lstrip("# ") or first.bare
    return words if len(words) <= _MAX_TITLE else words[: _MAX_TITLE - 1] + "…"


def _sections(document: Document, headings: Sequence[Heading]) -> list[Section]:
    """Return articles (role `article`), each followed by the sections within it."""
    text = document.text
    end_of_text = len(text)
    articles = _articles(headings)
    starts = [headings[a.first].span[0] for a in articles]
    result: list[Section] = []
    if len(articles) > 1:
        result += list(_leaves(headings[: articles[0].first], starts[0], 0))
        for number, article in enumerate(articles):
            end = starts[number + 1] if number + 1 < len(starts) else end_of_text
            result.append(Section(headings[article.first].text, "article", (starts[number], end)))
            result += _leaves(headings[article.first + 1 : article.last], end, starts[number])
        return result
    title = document.title or (headings[0].text if headings and headings[0].span[0] == 0 else "")
    result.append(Section(title, "article", (0, end_of_text)))
    result += _leaves(headings, end_of_text, 0)
    return result


def _leaves(headings: Sequence[Heading], end: int, start: int) -> Iterator[Section]:
    """One section per heading, up to the next one. A role lasts over deeper headings when levels are known."""
    del start
    inherited: tuple[int, str] | None = None
    for number, heading in enumerate(headings):
        stop = headings[number + 1].span[0] if number + 1 < len(headings) else end
        role = heading.role
        if role is not None:
            inherited = (heading.level, role) if heading.level else None
        elif inherited and heading.level > inherited[0]:
            role = inherited[1]  # type: ignore[assignment]
        else:
            inherited = None
        yield Section(heading.text, role or "other", (heading.span[0], stop))


def _articles(headings: Sequence[Heading]) -> list[_Article]:
    """Cut a digest into articles: when a role comes again, a new article began after the last role before it."""
    cuts = _cuts(headings)
    if not cuts:
        return []
    first = _first_article(headings, cuts[0])
    bounds = [first, *cuts, len(headings)]
    return [_Article(a, b) for a, b in pairwise(bounds)]


def _cuts(headings: Sequence[Heading]) -> list[int]:
    cuts: list[int] = []
    seen: set[str] = set()
    candidate: int | None = None
    for number, heading in enumerate(headings):
        if heading.role in _ARTICLE_ROLES:
            if heading.role in seen and candidate is not None:
                cuts.append(candidate)
                seen = set()
            seen.add(str(heading.role))
            candidate = None
        elif heading.role is None and candidate is None and seen:
            candidate = number
    return cuts


def _first_article(headings: Sequence[Heading], cut: int) -> int:
    """The first article's heading: after any table of contents, whose lines come again or are `Article.1`."""
    later = {h.text for h in headings[cut:]}
    first = 0
    for number in range(cut):
        heading = headings[number]
        if heading.role in _ARTICLE_ROLES:
            break
        if heading.navigation or heading.role == "other" or heading.text in later or _in_later(heading.text, later):
            first = number + 1
    return min(first, cut - 1) if cut else 0


def _in_later(text: str, later: set[str]) -> bool:
    """A line of a table of contents may say the headline in slightly other words."""
    grams = {text[i : i + 3] for i in range(len(text) - 2)}
    if len(grams) < 6:
        return False
    return any(len(grams & {o[i : i + 3] for i in range(len(o) - 2)}) >= 0.6 * len(grams) for o in later)


def _sentences(
    context: ReadingContext, lines: Sequence[Line], headings: Sequence[Heading], wrapped: bool
) -> Iterator[Sentence]:
    breaks = {h.span[0] for h in headings}
    for start, end in _paragraphs(lines, breaks, wrapped):
        for span in sentence_spans(context.text, start, end):
            yield _new(Sentence, (context.text[span[0] : span[1]], span, context.section_at(span[0])))


def _paragraphs(lines: Sequence[Line], breaks: set[int], wrapped: bool) -> Iterator[Span]:
    """Yield runs of lines that one sentence may cross: single lines, or whole paragraphs of hard-wrapped text.

    A single word, as each line of a list of hashes or hosts is, says nothing and is left out.
    """
    start = end = -1
    for line in lines:
        if not wrapped and " " not in line.bare and line.bare.isascii() and "\t" not in line.bare:
            continue
        apart = not wrapped or not line.bare or line.span[0] in breaks or _LIST_LINE.match(line.text) is not None
        if start >= 0 and apart:
            yield start, end
            start = -1
        if not line.bare:
            continue
        if start < 0:
            start = line.span[0]
        end = line.span[1]
        if line.span[0] in breaks:
            yield start, end
            start = -1
    if start >= 0:
        yield start, end


_DATE = re.compile(
    r"(?P<y>(?:19|20)\d\d)\s?[-/.年]\s?(?P<m>\d{1,2})\s?[-/.月]\s?(?P<d>\d{1,2})(?!\d)|(?P<y2>(?:19|20)\d\d)年(?P<m2>\d{1,2})月(?P<d2>\d{1,2})日"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<mon>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_WORDED = re.compile(
    rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>(?:19|20)\d\d)"
    rf"|(?P<day2>\d{{1,2}})(?:st|nd|rd|th)? {_MONTH.replace('mon', 'mon2')},? (?P<year2>(?:19|20)\d\d)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_LABEL = re.compile(
    r"公開日?|掲載日?|発行日?|発表日?|投稿日?|更新日?|published|posted|date|released|last updated|release date",
    re.IGNORECASE,
)


def published_date(lines: Sequence[Line]) -> str | None:
    """Return the date (ISO 8601) that the head of the text gives as its own: labelled, or alone on its line."""
    for line in lines[:40]:
        if len(line.text) > 120:
            continue
        found = find_date(line.text)
        if found is None:
            continue
        date, rest = found
        if _LABEL.search(line.text) or len(rest) <= 12:
            return date
    return None


def find_date(text: str) -> tuple[str, str] | None:
    """Return the first date of `text` as ISO 8601 and the words around it."""
    if not _YEAR.search(text):
        return None
    if match := _DATE.search(text):
        year, month, day = (match[a] or match[b] for a, b in (("y", "y2"), ("m", "m2"), ("d", "d2")))
        number = int(month)
    elif match := _WORDED.search(text):
        year, day = match["year"] or match["year2"], match["day"] or match["day2"]
        number = _MONTHS.index((match["mon"] or match["mon2"]).lower()) + 1
    else:
        return None
    if not (1 <= number <= 12 and 1 <= int(day) <= 31):
        return None
    rest = (text[: match.start()] + text[match.end() :]).strip(" 日|:：-–—()（）[]")
    return f"{int(year):04}-{number:02}-{int(day):02}", rest
