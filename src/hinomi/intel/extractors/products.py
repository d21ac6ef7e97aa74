"""Products, and the versions of them that a text calls affected or fixed, with operator and branch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.literals import any_within, occurrences
from hinomi.intel.names.words import lowered_of, words_of
from hinomi.intel.versions.binding import Binder
from hinomi.intel.versions.conditions import HEAD_AFFECTED, HEAD_FIXED, HEAD_WORDS, Condition, Status
from hinomi.intel.versions.judging import columns_of, judge, judge_cells
from hinomi.intel.versions.mentions import HINT, HINT_WORDS, Mention, mentions_of
from hinomi.intel.vocabulary.products import ProductHit, find_products, vulnerability_index

_WEAKNESS = re.compile(
    r"(?i)\b(?:vulnerab|exploit|CVE-|affect|patch|upgrad|zero-day|0-day|flaw|unpatched|compromis|advisor|appliance|"
    r"firmware|mitigat)\w*"
    r"|脆弱|悪用|エクスプロイト|影響|パッチ|アップデート|アップグレード|ゼロデイ|アプライアンス|ファームウェア|更新|"
    r"修正|アドバイザリ|スキャン|侵害|適用対象"
)
_QUOTED = re.compile(r"「([^「」\n]{1,24}[ぁ-ヺー一-龠][^「」\n]{0,3}[A-Z][A-Za-z0-9 ]{1,20})」")
"""Names in which Japanese goes over into Latin letters, as products have them."""
_MAX_QUOTED = 100
_LINES = re.compile(r"[^\n。]{1,1000}")
"""Sentences: cut at line ends and Japanese full stops."""
_HEADS = re.compile(r"(?:以下|次)の(?:とおり|通り)|[:：]\s*$|as follows")
_BULLET = re.compile(r"^\s*(?:> ?)*(?:[-*+•‣◦・✔✓☑□☐■●]|\d{1,3}[.)]\s)")


class ProductsExtractor:
    """Yields product, affected-version, fixed-version and named-vulnerability candidates."""

    name = "products"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield candidates; versions are bound to the product named nearest before them."""
        text = context.folded.text
        products = [hit for hit in find_products(text, words_of(context)) if not _embedded(text, hit)]
        yield from _vulnerabilities(context, text)
        main = Counter(hit.canonical for hit in products if not hit.loose).most_common(1)
        quoted = dict.fromkeys(found[1] for found in _QUOTED.finditer(text)) if "「" in text else ()
        binder = Binder(products, main[0][0] if main else None, tuple(quoted)[:_MAX_QUOTED])
        yield from _versions(context, text, binder)
        yield from _products(context, text, products, binder.bound)


def _versions(context: ReadingContext, text: str, binder: Binder) -> Iterator[Candidate]:
    head: Status | None = None
    columns: dict[int, Status] = {}
    hints = sorted([*(found.start() for found in HINT.finditer(text)), *occurrences(text, HINT_WORDS)])
    heads = occurrences(lowered_of(context), HEAD_WORDS)
    near = 0
    for found in _LINES.finditer(text):
        line, (begin, end) = found[0], found.span()
        while near < len(hints) and hints[near] < begin:
            near += 1
        hinted = near < len(hints) and hints[near] < end
        telling = bool(heads) and any_within(heads, begin, end)
        if not (hinted or telling) and " " not in line and _is_value(line):
            columns = {}
            continue
        mentions = mentions_of(line) if hinted else []
        columns = columns_of(line, mentions, columns, telling)
        if mentions:
            judge(line, mentions, head if _BULLET.match(line) else None)
            judge_cells(line, mentions, columns)
            binder.bind(line, begin, mentions)
        else:
            binder.heading(line, begin)
        head = _head_status(line, mentions, head) if head or telling else None
        for mention in mentions:
            if mention.condition is not None:
                yield _candidate(context, begin, mention, mention.condition)
                if mention.noun:
                    yield _noun_candidate(context, begin, mention)


def _is_value(line: str) -> bool:
    """Whether a line without blanks is one long word of a list: it says nothing of the lines around it."""
    return len(line) > _LONG_WORD and line.isascii() and "|" not in line and "\t" not in line


_LONG_WORD = 24


def _head_status(line: str, mentions: list[Mention], head: Status | None) -> Status | None:
    """What a list below this line would be: `Fixed versions:` or 修正バージョンは以下のとおり."""
    if _BULLET.match(line):
        return head
    if mentions and not _HEADS.search(line):
        return None
    if len(line) >= _LONG_WORD and " " not in line and line.isascii():
        return None  # a value of a list says nothing of the next line
    if len(line) > 120 and not _HEADS.search(line):
        return None
    if HEAD_FIXED.search(line):
        return "fixed"
    if HEAD_AFFECTED.search(line):
        return "affected"
    return head if not line.strip() else None


def _noun_candidate(context: ReadingContext, begin: int, mention: Mention) -> Candidate:
    start, end = mention.noun or (0, 1)
    return Candidate(
        type="product", value=mention.product or "", span=context.folded.span(begin + start, begin + end),
        role="affected", confidence=60, why="stands before a version", canonical=mention.product,
    )  # fmt: skip


def _candidate(context: ReadingContext, begin: int, mention: Mention, condition: Condition) -> Candidate:
    span = context.folded.span(begin + mention.start, begin + mention.end)
    attributes: dict[str, str] = {"operator": condition.operator}
    if mention.product:
        attributes["product"] = mention.product
    if mention.branch:
        attributes["branch"] = mention.branch.name
    core = re.match(r"([\d.]+\d)-\d+[a-z]{1,4}$", mention.number)
    canonical = core[1] if core else f"{mention.number}.x" if mention.series else None
    value = mention.number
    if condition.status == "affected":
        value = f"{condition.operator}{mention.number}" if condition.operator != "=" else mention.number
        if mention.series and condition.operator in {"=", "<="}:
            attributes["series"] = mention.number  # affected as a whole; "up to" it means with all of it
        if mention.lower:
            attributes["from"] = mention.lower
            value = f">={mention.lower} {value}"
        canonical = f"{mention.number}.x" if value == attributes.get("series") else None
    confidence = (60 if condition.weak else 80) + (10 if mention.product else 0)
    return Candidate(
        type="fixed-version" if condition.status == "fixed" else "affected-version", value=value, span=span,
        role="fixed" if condition.status == "fixed" else "affected", confidence=confidence,
        why=f"said by: {condition.phrase.strip()}", canonical=canonical, attributes=dict(attributes),
        distinct=f"{mention.product or ''}|{attributes.get('branch', '')}",
    )  # fmt: skip


def _products(
    context: ReadingContext, text: str, products: Sequence[ProductHit], bound: set[int]
) -> Iterator[Candidate]:
    for number, hit in enumerate(products):
        line_start = max(text.rfind("\n", 0, hit.start), text.rfind("。", 0, hit.start), hit.start - 300) + 1
        ends = [e for e in (text.find("\n", hit.end), text.find("。", hit.end)) if e >= 0]
        line = text[line_start : min([*ends, hit.end + 300])]
        weak = _WEAKNESS.search(line) is not None
        if number not in bound and (hit.loose or not weak):
            continue
        yield Candidate(
            type="product", value=text[hit.start : hit.end], span=context.folded.span(hit.start, hit.end),
            role="affected", confidence=85 if number in bound else 65,
            why="a version is bound to it" if number in bound else "named with a weakness or an update",
            canonical=hit.canonical,
        )  # fmt: skip


def _vulnerabilities(context: ReadingContext, text: str) -> Iterator[Candidate]:
    index, table = vulnerability_index()
    for hit in index.find(text, words_of(context)):
        name = hit.forms[0].name.canonical
        surface = text[hit.start : hit.end]
        if surface.islower():
            continue
        for cve in table[name]:
            yield Candidate(
                type="cve", value=cve, span=context.folded.span(hit.start, hit.end), confidence=75,
                why=f"{name} is the name of {cve}", canonical=name, attributes={"name": name, "implied": True},
            )  # fmt: skip


def _embedded(text: str, hit: ProductHit) -> bool:
    after = text[hit.end : hit.end + 2]
    return after[:1] in {"_", "@"} or (after[:1] == "." and "a" <= after[1:] <= "z")


EXTRACTOR = ProductsExtractor()
