"""Products, and the versions of them that a text calls affected or fixed, with operator and branch."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.names.words import words_of
from hinomi.intel.versions.conditions import HEAD_AFFECTED, HEAD_FIXED, VERSION, Condition, Status, condition_at
from hinomi.intel.versions.nouns import noun_before
from hinomi.intel.vocabulary.products import ProductHit, find_products, vulnerability_index

_WEAKNESS = re.compile(
    r"(?i)\b(?:vulnerab|exploit|CVE-|affect|patch|upgrad|zero-day|0-day|flaw|unpatched|compromis|advisor|appliance|"
    r"firmware|mitigat)\w*"
    r"|脆弱|悪用|エクスプロイト|影響|パッチ|アップデート|アップグレード|ゼロデイ|アプライアンス|ファームウェア|更新|"
    r"修正|アドバイザリ|スキャン|侵害|適用対象"
)
_BRANCH = re.compile(
    r" ?(?:\((?:for )?(?P<paren>[^()\n]{2,30})\)| (?:for|on) (?P<plain>(?:Java|Windows|Linux|macOS|Python|PHP|"
    r"Node\.js|\.NET) ?\d{1,4}(?:\.\d{1,2})?(?:\+| (?:and|or) (?:later|newer|above))?))"
)
_BRANCH_PRODUCT = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z.+#]{1,20}) ?(?P<number>\d{1,4}(?:\.\d{1,3})?)(?P<up>\+| ?(?:以降|以上)|,? (?:and|or) "
    r"(?:later|newer|above|higher|up))?"
)
_LIST_GAP = re.compile(
    r"(?: ?\([^()\n]{1,40}\))?(?: for Java \d+\+?)? ?(?:、|,|/|または|もしくは|および|及び|と|や|or|and|;|，| ){0,3} "
    r"?(?:or|and)? ?(?:version |バージョン)?[A-Za-z][\w. -]{0,24}?|(?: ?\([^()\n]{1,40}\))?(?: for Java \d+\+?)? "
    r"?(?:、|,|/|または|もしくは|および|及び|と|や|or|and|;|，| ){1,4}(?:バージョン|version )?[vV]?"
)
_RANGE = re.compile(r" ?(?:から|～|~|〜|through|thru|to|up to|-|–) ?(?:version |バージョン)?[vV]?")
_BOUND = re.compile(r"\b(?:before|prior|through|until|than|below)\b")
_HEADS = re.compile(r"(?:以下|次)の(?:とおり|通り)|[:：]\s*$|as follows")
_BULLET = re.compile(r"^\s*(?:[-*+•‣◦・✔✓☑□☐■●]|\d{1,3}[.)]\s)")


@dataclass(slots=True)
class _Mention:
    """A version in one sentence and what is known of it so far."""

    start: int
    end: int
    number: str
    condition: Condition | None = None
    branch: str | None = None
    lower: str | None = None
    product: str | None = None
    noun: tuple[int, int] | None = None


class ProductsExtractor:
    """Yields product, affected-version, fixed-version and named-vulnerability candidates."""

    name = "products"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield candidates; versions are bound to the product named nearest before them."""
        text = context.folded.text
        products = [hit for hit in find_products(text, words_of(context)) if not _embedded(text, hit)]
        yield from _vulnerabilities(context, text)
        bound: set[int] = set()
        yield from self._versions(context, text, products, bound)
        yield from _products(context, text, products, bound)

    def _versions(
        self, context: ReadingContext, text: str, products: Sequence[ProductHit], bound: set[int]
    ) -> Iterator[Candidate]:
        starts = [hit.start for hit in products]
        main = Counter(hit.canonical for hit in products if not hit.loose).most_common(1)
        head: Status | None = None
        last: str | None = None
        columns: dict[int, Status] = {}
        for begin, line in _lines(text):
            mentions = _mentions(line)
            columns = _columns(line, mentions, columns)
            if mentions:
                _judge(line, mentions, head if _BULLET.match(line) else None)
                _judge_cells(line, mentions, columns)
            head = _head_status(line, mentions, head)
            for mention in mentions:
                if mention.condition is None:
                    continue
                number = _bind(line, mention, begin, products, starts)
                if number is not None:
                    bound.add(number)
                if mention.product is None:
                    mention.product = last or (main[0][0] if main else None)
                last = mention.product
                yield _candidate(context, begin, mention)
                if mention.noun:
                    yield _noun_candidate(context, begin, mention)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (offset, sentence), cutting at line ends and Japanese full stops, at most 1,000 characters each."""
    for found in re.finditer(r"[^\n。]{1,1000}", text):
        yield found.start(), found[0]


def _mentions(line: str) -> list[_Mention]:
    found: list[_Mention] = []
    if not _VERSION_HINT.search(line):
        return found
    for match in VERSION.finditer(line):
        number = match["number"]
        if (_is_date(number) and not _AFTER_NAME.search(line[: match.start()][-40:])) or (
            line[match.end() : match.end() + 1] in {"/", "@"} and line[match.end() + 1 : match.end() + 2].isalpha()
        ):
            continue
        found.append(_Mention(match.start("number"), match.end(), number))
    return found


_VERSION_HINT = re.compile(r"[0-9][.uR]")
"""What every version holds: a digit before a dot, an update or a revision."""
_AFTER_NAME = re.compile(r"(?:[A-Z][A-Za-z0-9+-]{2,24}|[Vv]ersions?|バージョン) ?$")


def _is_date(number: str) -> bool:
    return re.fullmatch(r"(?:19|20)\d\d\.\d{1,2}\.\d{1,2}", number) is not None


def _judge(line: str, mentions: list[_Mention], head: Status | None) -> None:
    """Give every mention its condition: its own, its list's (said once, at the end or the start), or its heading's."""
    for mention in mentions:
        branch = _BRANCH.match(line, mention.end)
        shift = branch.end() if branch else mention.end
        if branch:
            mention.branch = _branch(branch["paren"] or branch["plain"])
        mention.condition = condition_at(line, mention.start, mention.end)
        if mention.condition is None and branch:
            mention.condition = condition_at(line, mention.start, shift)
    for left, right in pairwise(mentions):
        _range(line[left.end : right.start], left, right)
    _share(line, mentions)
    if head:
        for mention in mentions:
            if mention.condition is None:
                mention.condition = Condition(">=" if head == "fixed" else "=", head, True, "list under a heading")


_CELL = re.compile(r"\||\t")


def _columns(line: str, mentions: list[_Mention], known: dict[int, Status]) -> dict[int, Status]:
    """What the columns of the table at hand say: read from its header row, kept until the table ends."""
    if "|" not in line and "\t" not in line:
        return {}
    if mentions:
        return known
    columns: dict[int, Status] = {}
    for number, cell in enumerate(_CELL.split(line)):
        if HEAD_FIXED.search(cell):
            columns[number] = "fixed"
        elif HEAD_AFFECTED.search(cell):
            columns[number] = "affected"
    return columns or known


def _judge_cells(line: str, mentions: list[_Mention], columns: dict[int, Status]) -> None:
    """In a table the column's heading speaks for versions of which the cell itself says nothing."""
    lowest = {mention.lower for mention in mentions}
    for mention in mentions if columns else ():
        status = columns.get(len(_CELL.findall(line, 0, mention.start)))
        if mention.condition is None and status and mention.number not in lowest:
            mention.condition = Condition(">=" if status == "fixed" else "=", status, False, "column of a table")


def _range(gap: str, left: _Mention, right: _Mention) -> None:
    """Join two versions with `through` or から between them into one affected range."""
    if _RANGE.fullmatch(gap) and (left.condition is None or left.condition.status == "affected"):
        right.lower, left.condition = left.number, None
        upper = right.condition
        exclusive = upper is not None and upper.operator == "<"
        right.condition = Condition("<" if exclusive else "<=", "affected", upper is None, gap)


def _share(line: str, mentions: list[_Mention]) -> None:
    """Give a list's condition, said once at its end or its start, to all its versions."""
    for forward in (False, True):
        pairs = list(pairwise(mentions))
        for left, right in pairs if forward else pairs[::-1]:
            giver, taker = (left, right) if forward else (right, left)
            if taker.condition is None and giver.lower is None and _in_list(line[left.end : right.start]):
                taker.condition = giver.condition


def _in_list(gap: str) -> bool:
    return len(gap) < 70 and _LIST_GAP.fullmatch(gap) is not None and not _BOUND.search(gap)


def _branch(text: str) -> str | None:
    found = _BRANCH_PRODUCT.search(text)
    if not found:
        return None
    return f"{found['name']} {found['number']}{'+' if found['up'] else ''}"


def _head_status(line: str, mentions: list[_Mention], head: Status | None) -> Status | None:
    """What a list below this line would be: `Fixed versions:` or 修正バージョンは以下のとおり."""
    if _BULLET.match(line):
        return head
    if mentions and not _HEADS.search(line):
        return None
    if len(line) >= 24 and " " not in line and line.isascii():
        return None  # a value of a list says nothing of the next line
    if len(line) > 120 and not _HEADS.search(line):
        return None
    if HEAD_FIXED.search(line):
        return "fixed"
    if HEAD_AFFECTED.search(line):
        return "affected"
    return head if not line.strip() else None


def _bind(
    line: str, mention: _Mention, begin: int, products: Sequence[ProductHit], starts: Sequence[int]
) -> int | None:
    """Bind the mention to the known product nearest before it in the sentence, else to a noun there, else after it."""
    here = bisect_right(starts, begin + mention.start) - 1
    if here >= 0 and products[here].start >= begin:
        mention.product = products[here].canonical
        return here
    noun = noun_before(line[: mention.start])
    if noun:
        mention.product, mention.noun = line[noun[0] : noun[1]], noun
        return None
    after = here + 1
    if after < len(products) and products[after].start < begin + len(line):
        mention.product = products[after].canonical
        return after
    return None


def _noun_candidate(context: ReadingContext, begin: int, mention: _Mention) -> Candidate:
    start, end = mention.noun or (0, 1)
    return Candidate(
        type="product", value=mention.product or "", span=context.folded.span(begin + start, begin + end),
        role="affected", confidence=60, why="stands before a version", canonical=mention.product,
    )  # fmt: skip


def _candidate(context: ReadingContext, begin: int, mention: _Mention) -> Candidate:
    condition = mention.condition
    assert condition is not None
    span = context.folded.span(begin + mention.start, begin + mention.end)
    attributes: dict[str, str] = {"operator": condition.operator}
    if mention.product:
        attributes["product"] = mention.product
    if mention.branch:
        attributes["branch"] = mention.branch
    core = re.match(r"([\d.]+\d)-\d+[a-z]{1,4}$", mention.number)
    canonical = core[1] if core else None
    value = mention.number
    if condition.status == "affected":
        value = f"{condition.operator}{mention.number}" if condition.operator != "=" else mention.number
        if mention.lower:
            attributes["from"] = mention.lower
            value = f">={mention.lower} {value}"
        canonical = None
    confidence = (60 if condition.weak else 80) + (10 if mention.product else 0)
    return Candidate(
        type="fixed-version" if condition.status == "fixed" else "affected-version", value=value, span=span,
        role="fixed" if condition.status == "fixed" else "affected", confidence=confidence,
        why=f"said by: {condition.phrase.strip()}", canonical=canonical, attributes=dict(attributes),
        distinct=f"{mention.product or ''}|{mention.branch or ''}",
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
    return text[hit.end : hit.end + 1] in {"_", "@"} or re.match(r"\.[a-z]", text[hit.end : hit.end + 2]) is not None


EXTRACTOR = ProductsExtractor()
