"""Which lines of a report are headings, and what role a heading's words give its section."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from hinomi.model.claims import SectionRole, Span

# Words of the trade that name a section, by role. A heading matches when it consists of such a word and little else.
_ROLE_WORDS: dict[SectionRole, tuple[str, ...]] = {
    "scope": (
        "影響範囲", "影響を受ける製品", "影響を受けるシステム", "影響を受けるバージョン", "影響を受ける",
        "対象製品", "対象システム",
        "対象バージョン", "対象となる製品", "対象", "affected products", "affected versions", "affected systems",
        "affected software",
        "affected", "scope of impact", "scope", "impact", "who is affected", "am i affected", "are we affected",
        "vulnerable versions",
        "vulnerable products", "影響",
    ),
    "view": (
        "見解", "アナリストの見解", "考察", "所見", "ひとくちメモ", "analyst view", "analyst's view", "analyst comment",
        "analyst assessment", "assessment", "our view", "our take", "outlook", "perspective", "analysis and outlook",
    ),
    "mitigation": (
        "緩和のための戦略", "緩和策", "緩和", "対策", "対処", "対処方法", "対応", "対応策", "対応方法", "回避策",
        "推奨事項", "推奨対策", "推奨される対策",
        "推奨", "解決策", "防御策", "防御", "この脅威から身を守る方法", "身を守る方法", "修正方法", "軽減策",
        "暫定対策", "恒久対策", "mitigation",
        "mitigations", "mitigation strategy", "mitigation strategies", "recommendation", "recommendations",
        "recommended actions",
        "remediation", "countermeasures", "workaround", "workarounds", "how to protect", "how to protect yourself",
        "protection",
        "defense", "defence", "defensive measures", "prevention", "what to do", "what you should do", "solution",
        "solutions",
        "actions to take", "actions to take today", "protecting against", "how to defend", "hardening", "next steps",
    ),
    "sources": (
        "情報源", "参考", "参考情報", "参考資料", "参考文献", "関連文書", "関連情報", "出典", "引用元",
        "関連リンク", "references", "reference",
        "sources", "source", "further reading", "additional resources", "resources", "links", "see also",
        "related links",
        "credits", "acknowledgements", "acknowledgments",
    ),
    "indicators": (
        "ioc", "iocs", "indicators", "indicator", "indicators of compromise", "indicators of compromise (iocs)",
        "侵害指標", "侵害の痕跡", "痕跡情報", "インディケータ", "インジケータ", "インジケーター",
        "インディケーター", "通信先", "検体情報", "ハッシュ値",
        "network indicators", "file indicators", "file hashes", "hashes", "samples", "network",
        "network infrastructure", "domains", "ip addresses",
        "c&c servers", "c2 servers", "appendix: indicators of compromise", "host indicators", "urls", "files",
    ),
    "summary": (
        "概要", "要約", "サマリー", "サマリ", "はじめに", "要旨", "エグゼクティブサマリー", "summary",
        "executive summary", "overview",
        "introduction", "key findings", "key points", "key takeaways", "tl;dr", "abstract", "at a glance",
        "主なポイント",
    ),
    "other": (
        "writer", "author", "authors", "about the author", "ライター", "著者", "執筆者", "アナリスト",
        "アナリストのコメント", "articles", "article",
        "目次", "記事一覧", "table of contents", "contents", "about us", "contact", "share", "更新履歴",
        "update history", "revision history",
        "conclusion", "conclusions", "まとめ", "おわりに", "終わりに", "結論", "technical details", "技術的詳細",
        "詳細", "timeline",
    ),
}  # fmt: skip
_BY_WORD: dict[str, SectionRole] = {word: role for role, words in _ROLE_WORDS.items() for word in words}
_NAVIGATION = frozenset({"articles", "article", "目次", "記事一覧", "table of contents", "contents"})

_NUMBERING = re.compile(
    r"^(?:[#■●◆▼▶○◎★□・*§_\s]+|第?\d{1,3}(?:\.\d{1,2}){0,3}[.)章節項:]?\s+|[(（【\[]\d{1,3}[)）】\]]\s*)"
)
_TOC_ENTRY = re.compile(r"^(?:article|記事|item|no)[.\s]*\d{1,3}$", re.IGNORECASE)
_LIST_MARK = re.compile(r"^\s*(?:[-*+•‣◦・✔✓☑□☐■]\ufe0f?\s|\d{1,3}[.)]\s|[|>]|\(\d|[a-z]\)\s)")
_MARKDOWN = re.compile(r"^(#{1,6})\s+(\S.*?)\s*#*$")
_MARKS = "■●◆▼▶◎★§【"
_MARKED = re.compile(r"^(?:[■●◆▼▶◎★§]\s*\S|【[^】]{1,80}】)")
_PAIRS = (("【", "】"), ("「", "」"), ("[", "]"), ("《", "》"), ("〈", "〉"), ("<", ">"))
_RULES = frozenset("=-~")
_RULE = re.compile(r"^(?:={3,}|-{3,}|~{3,})\s*$")
_MAX_HEADING = 100
_LONG_WORD = 30
_MAX_HEADINGS = 4000
_MAX_LINES = 100_000
STRUCTURE_LIMIT = 2 << 20
"""Characters whose headings and sentences are found."""
_SENTENCE_END = "。．.!！?？,、;；"
_LOOKS_LIKE_DATA = re.compile(r"[\\/@=|{}<>$\t]|\w\[\.?\]|[0-9a-fA-F]{16,}|\w\.\w+\.\w|\d{3,}[.:]\d")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading line: its words, place, level (1 outermost; 0 unknown) and the role that its words give, if any."""

    text: str
    span: Span
    level: int
    role: SectionRole | None
    navigation: bool = False


class Line(NamedTuple):
    """One line of the text without its newline; `bare` is what it holds between surrounding white space."""

    text: str
    span: Span
    bare: str

    @property
    def blank(self) -> bool:
        """Nothing but white space."""
        return not self.bare


_new = tuple.__new__
"""Makes a named tuple without the call in Python that its name costs: a text has thousands of lines."""


def lines_of(text: str) -> list[Line]:
    """Cut the head of `text` at its newlines: what lies beyond the bounds is read for indicators only."""
    result, start = [], 0
    lines = text[:STRUCTURE_LIMIT].split("\n", _MAX_LINES)
    for line in lines[:_MAX_LINES]:
        end = start + len(line)
        result.append(_new(Line, (line, (start, end), line.strip())))
        start = end + 1
    return result


def clean_heading(text: str) -> str:
    """Strip marks, numbering and brackets around a heading's words."""
    text = text.strip()
    for _ in range(3):
        if not (mark := _NUMBERING.match(text)):
            break
        text = text[mark.end() :].strip()
    bare = text.strip("*_ :：【】[]〈〉<>《》「」■●◆▼").strip()
    if len(bare) == len(text):
        return bare
    for opening, closing in _PAIRS:  # 【重要】製品の脆弱性: the bracket is about a part of it
        if bare.count(closing) > bare.count(opening):
            bare = opening + bare
        elif bare.count(opening) > bare.count(closing):
            bare += closing
    return bare


@lru_cache(maxsize=4096)
def role_of(heading: str) -> SectionRole | None:
    """Return the role that the heading's words give, or None. Longer headings count when they begin or end with one."""
    words = clean_heading(heading).lower()
    if words in _BY_WORD:
        return _BY_WORD[words]
    if len(words) > _LONGEST_WORD + _FURTHER_WORDS:
        return None
    known = [word for word in _ends(words) if word in _ORDER and len(words) <= len(word) + _FURTHER_WORDS]
    return _BY_WORD[min(known, key=_ORDER.__getitem__)] if known else None


def _ends(words: str) -> Iterator[str]:
    """Yield what a heading begins or ends with: whole words, and of Japanese any run of characters."""
    for place, character in enumerate(words):
        if character == " ":
            yield words[:place]
            yield words[place + 1 :]
    if not words.isascii():
        for place in range(1, len(words)):
            if not words[:place].isascii():
                yield words[:place]
            if not words[place:].isascii():
                yield words[place:]


_FURTHER_WORDS = 24
"""Characters that a heading may have beside the word that names its section."""
_ORDER = {
    word: number
    for number, (word, role) in enumerate(_BY_WORD.items())
    if role != "other" and len(word) >= (6 if word.isascii() else 3)
}
"""The words that count within longer headings; the first of several wins."""
_LONGEST_WORD = max(map(len, _ORDER))


def find_headings(lines: Sequence[Line], wrapped: bool) -> list[Heading]:
    """Return the headings in order. Marked ones (`#`, underlines, ■) win; bare short lines count by their place.

    In hard-`wrapped` text every line lacks an end mark; a heading is one that is clearly shorter.
    """
    result: list[Heading] = []
    longest = max((len(line.text) for line in lines), default=0) * 0.7 if wrapped else _MAX_HEADING
    for number, line in enumerate(lines):
        if len(result) >= _MAX_HEADINGS:
            break
        if len(line.text) > _MAX_HEADING + 8 or not line.bare:
            continue
        value = line.bare[0] == "|" or _is_value(line.bare)
        if value and lines[min(number + 1, len(lines) - 1)].text[:1] not in _RULES:
            continue
        heading = _marked_heading(lines, number)
        if heading is None and not value:
            heading = _known_heading(line) or _bare_heading(lines, number, longest)
        if heading:
            result.append(heading)
    return result


def _is_value(bare: str) -> bool:
    """Whether a line is one word of a list of hashes, hosts or files: no heading, unless it is marked as one."""
    if " " in bare or not bare.isascii():
        return False
    if len(bare) > _LONG_WORD:
        return True
    if bare[0].isupper() or bare.isalpha() or bare.lower().strip(":-*_.") in _BY_WORD:
        return False
    return not (bare[0] in "ain" and _TOC_ENTRY.match(bare))


def _marked_heading(lines: Sequence[Line], number: int) -> Heading | None:
    line = lines[number]
    if line.text[0] == "#" and (match := _MARKDOWN.match(line.text)):
        return _heading(match.group(2), line.span, len(match.group(1)))
    following = lines[number + 1].text if number + 1 < len(lines) else ""
    ruled = following[:1] in _RULES and _RULE.match(following)
    if ruled and not _RULE.match(line.text) and not _LIST_MARK.match(line.text):
        return _heading(line.text.strip(), line.span, 1 if following.startswith("=") else 2)
    if line.text[0] in _MARKS and _MARKED.match(line.text) and not line.text.rstrip().endswith(("。", ".")):
        return _heading(line.text.strip(), line.span, 0)
    return None


def _known_heading(line: Line) -> Heading | None:
    """A line that consists of a section's name (`影響範囲`, `References:`)."""
    if len(line.text) > 60 or line.bare[-1] in "。,、" or "|" in line.text:
        return None
    words = clean_heading(line.text)
    role = _BY_WORD.get(words.lower())
    if role is None and _TOC_ENTRY.match(words):
        return Heading(words, line.span, 0, "other", navigation=True)
    if role is None and not words.isascii() and len(words) <= 24 and not _LIST_MARK.match(line.text):
        role = role_of(words) if not words.endswith(("です", "ます", "た")) else None
    return _heading(words, line.span, 0) if role else None


def _bare_heading(lines: Sequence[Line], number: int, longest: float) -> Heading | None:
    """A short line without an end mark that a longer paragraph or another heading follows."""
    line = lines[number]
    text = line.bare
    if len(text) > longest or not _shaped_like_heading(text) or _LIST_MARK.match(line.text):
        return None
    before = number == 0 or lines[number - 1].blank or _ends_sentence(lines[number - 1].text)
    following = _next_text(lines, number)
    if following is None or not (before or _previous_is_heading(lines, number)):
        return None
    if _LIST_MARK.match(following) or not (len(following) > len(text) or _shaped_like_heading(following)):
        return None
    return _heading(text, line.span, 0)


def _shaped_like_heading(text: str) -> bool:
    if not 2 <= len(text) <= _MAX_HEADING or text[-1] in _SENTENCE_END:
        return False
    if text.isascii():
        if not text[0].isalnum() or text[0].islower() or (len(text) > _LONG_WORD and " " not in text):
            return False
        return len(text.split()) <= 14 and not _LOOKS_LIKE_DATA.search(text)
    return len(text) <= 60 and text[-1] not in "」』)）:：" and "。" not in text and not _LOOKS_LIKE_DATA.search(text)


def _ends_sentence(text: str) -> bool:
    text = text.rstrip()
    return bool(text) and (text[-1] in "。.!?！？)）:：」" or len(text) <= 24)


def _previous_is_heading(lines: Sequence[Line], number: int) -> bool:
    return number > 0 and _shaped_like_heading(lines[number - 1].bare)


def _next_text(lines: Sequence[Line], number: int) -> str | None:
    for line in lines[number + 1 : number + 4]:
        if line.bare:
            return line.bare
    return None


def _heading(text: str, span: Span, level: int) -> Heading:
    words = clean_heading(text) or text.strip()
    navigation = words.lower() in _NAVIGATION or bool(_TOC_ENTRY.match(words))
    return Heading(words, span, level, role_of(text), navigation)
