"""What a sentence says of its versions: each one's own condition, its list's, range's, column's, label's."""

from __future__ import annotations

import re
from itertools import pairwise

from hinomi.intel.versions.conditions import CONDITION_WORDS, HEAD_AFFECTED, HEAD_FIXED, Condition, Status, condition_at
from hinomi.intel.versions.mentions import Mention

_LIST_GAP = re.compile(
    r"(?: ?\([^()\n]{1,40}\))?(?: for Java \d+\+?)? ?(?:、|,|/|または|もしくは|および|及び|と|や|or|and|;|，| ){0,3} "
    r"?(?:or|and)? ?(?:version |バージョン)?[A-Za-z][\w. -]{0,24}?|(?: ?\([^()\n]{1,40}\))?(?: for Java \d+\+?)? "
    r"?(?:、|,|/|または|もしくは|および|及び|と|や|or|and|;|，| ){1,4}(?:バージョン|version )?[vV]?"
)
_SEPARATOR = r"(?:、|,|;|/|・|\||または|もしくは|あるいは|および|及び|ならびに|並びに|と|や|か|\bor\b|\band\b|&)"
_LONG_GAP = re.compile(
    rf" ?(?:に|へ|で|は|を|が|まで)? ?{_SEPARATOR}(?: ?{_SEPARATOR})? ?(?:(?:to|in|with|for|on|either) )?"
    r"(?:(?:[A-Za-z][\w.+-]{0,24}(?: [A-Z][\w.+-]{0,24}){0,3}|[ァ-ヺー一-龠々A-Za-z0-9]{2,16}) ?)?"
    r"(?:(?:を|は|では|には|で|の|to|in|is|version|versions|release|バージョン|Ver\.?) ?){0,2}[vV]?"
)
_RANGE = re.compile(
    r" ?(?:から|～|~|〜|through|thru|to|up to(?: and including)?|-|–|―|…|\.\.\.?) ?(?:[Vv]ersion |バージョン)?[vV]?"
)
_FLOOR = re.compile(
    r" ?(?:(?:and|versions?) )?(?:before|prior to|up to but not including|earlier than|until) ?(?:version )?[vV]?"
    r"| ?(?:以上|以降|から|より)、? ?(?:バージョン ?)?[vV]?| ?(?:,|、|and|かつ|&&)? ?(?:<=?|≤|≦) ?[vV]?"
)
_BOUND = re.compile(r"\b(?:before|prior|through|until|than|below|not)\b")
_OF = re.compile(r" (?:of|in|for) (?:the )?[A-Z][\w.-]{1,24}(?: [A-Z][\w.-]{0,24}){0,3}")
_CELL = re.compile(r"\||\t")
_AVAILABLE = re.compile(r"(?i)\b(?:patch(?:es)?|fix(?:es)?|hotfix(?:es)?)\b|修正プログラム|パッチ")
_LABEL = re.compile(r"\s{0,8}(?:[-*・●■□✔]\s{0,3})?(?P<label>[^:\n|]{1,24}):")


def judge(line: str, mentions: list[Mention], head: Status | None) -> None:
    """Give every mention its condition: its own, its list's (said once, at the end or the start), or its heading's."""
    said = not line.isascii() or any(map(line.lower().__contains__, CONDITION_WORDS))
    for mention in mentions if said else ():
        mention.condition = condition_at(line, mention.start, mention.end)
        if mention.condition is None and (mention.first, mention.last) != (mention.start, mention.end):
            mention.condition = condition_at(line, mention.first, mention.last)
        if mention.condition is None and (of := _OF.match(line, mention.last)):
            mention.condition = condition_at(line, mention.start, of.end())
    for left, right in pairwise(mentions):
        _range(line[left.end : right.start], left, right)
    _share(line, mentions)
    status, why = (head, "list under a heading") if head else (_label(line), "a label")
    for mention in mentions if status else ():
        if mention.condition is None and not mention.floor:
            mention.condition = Condition(">=" if status == "fixed" else "=", status or "affected", True, why)


def columns_of(line: str, mentions: list[Mention], known: dict[int, Status], telling: bool) -> dict[int, Status]:
    """What the columns of the table at hand say: read from its header row, kept until the table ends.

    `telling`: the line holds one of `HEAD_WORDS`.
    """
    if "|" not in line and "\t" not in line:
        return {}
    if mentions or not telling:
        return known
    columns: dict[int, Status] = {}
    for number, cell in enumerate(_CELL.split(line)):
        if HEAD_FIXED.search(cell):
            columns[number] = "fixed"
        elif HEAD_AFFECTED.search(cell):
            columns[number] = "affected"
    return columns or known


def judge_cells(line: str, mentions: list[Mention], columns: dict[int, Status]) -> None:
    """In a table the column's heading speaks for versions of which the cell itself says nothing."""
    for mention in mentions if columns else ():
        status = columns.get(len(_CELL.findall(line, 0, mention.start)))
        if mention.condition is None and status and not mention.floor:
            mention.condition = Condition(">=" if status == "fixed" else "=", status, False, "column of a table")


def _label(line: str) -> Status | None:
    """What the label of a line says of all it lists: `Fixed: ...`, `対象: 製品A 1.2.3より前 / 製品B 4.5`."""
    found = _LABEL.match(line) if len(line) < 300 else None
    if not found:
        return None
    if HEAD_FIXED.search(found["label"]) or _AVAILABLE.search(found["label"]):
        return "fixed"
    return "affected" if HEAD_AFFECTED.search(found["label"]) else None


def _range(gap: str, left: Mention, right: Mention) -> None:
    """Join two versions with `through`, `from ... before` or から between them into one affected range."""
    upper = right.condition
    bounded = upper is not None and upper.status == "affected" and upper.operator in {"<", "<="}
    if _FLOOR.fullmatch(gap) and bounded:
        right.lower, left.floor, left.condition = left.number, True, None
    elif _RANGE.fullmatch(gap) and (left.condition is None or left.condition.status == "affected"):
        right.lower, left.floor, left.condition = left.number, True, None
        exclusive = upper is not None and upper.operator == "<"
        right.condition = Condition("<" if exclusive else "<=", "affected", upper is None, gap)


def _share(line: str, mentions: list[Mention]) -> None:
    """Give a list's condition, said once at its end or its start, to all its versions."""
    for forward in (False, True):
        pairs = list(pairwise(mentions))
        for left, right in pairs if forward else pairs[::-1]:
            giver, taker = (left, right) if forward else (right, left)
            if taker.condition is None and not taker.floor and giver.lower is None and _in_list(line, left, right):
                taker.condition = giver.condition


def _in_list(line: str, left: Mention, right: Mention) -> bool:
    return _is_gap(line[left.last : right.first]) or _is_gap(line[left.end : right.start])


def _is_gap(gap: str) -> bool:
    if len(gap) >= 70 or _BOUND.search(gap):
        return False
    return _LIST_GAP.fullmatch(gap) is not None or _LONG_GAP.fullmatch(gap) is not None
