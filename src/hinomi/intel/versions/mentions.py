"""The versions a sentence names, each with the branch it stands for; dates, sections, scores, addresses are none."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hinomi.intel.versions.branches import SERIES_TAIL, Branch, branch_after, branch_before
from hinomi.intel.versions.conditions import VERSION, Condition

HINT = re.compile(r"[.uR](?<=[0-9].)")
HINT_WORDS = ("branch", "系", "ブランチ")
"""What every version holds: a digit before a dot, an update or a revision, or a word for a series."""
_AFTER_NAME = re.compile(r"(?:[A-Z][A-Za-z0-9+-]{2,24}|[Vv]ersions?|バージョン) ?$")
_BEFORE_DATED = re.compile(r"[<>≤≥]=? ?$|\b(?:before|prior to|through|earlier than|fixed in|upgrade to|update to) $")
_DATE = re.compile(r"(?:19|20)\d\d\.\d{1,2}\.\d{1,2}|\d{1,2}\.\d{1,2}\.(?:19|20)\d\d")
_NO_VERSION_BEFORE = re.compile(
    r"(?i)(?:\b(?:sections?|figures?|fig\.|tables?|chapters?|appendix|steps?|pages?|ports?|CVSS(?:v\d)?(?: ?[:=])?|"
    r"CVSS(?:v\d(?:\.\d)?)? (?:base )?score(?: of| is|:)?|scores?(?: of| is|:)?|rated|rating(?: of)?|TLS|SSL|HTTP|"
    r"SMB|USB|Bluetooth)|図|表|第|項|章|節|ポート(?:番号)?|スコア(?:は|が|:)?|基本値(?:は|が|:)?|"
    r"[$€£¥§])[ :]{0,2}[vV]?$"
)
_NO_VERSION_AFTER = re.compile(
    r" ?(?:[GMKT]i?B\b|[GM]Hz\b|million\b|billion\b|seconds?\b|minutes?\b|hours?\b|days?\b|percent\b|章|節|項|倍|点|秒|"
    r"分|時間|万|億|ドル|円|インチ|パーセント|ポイント)"
)
_ADDRESS_BEFORE = re.compile(
    r"(?i)(?:\bIP(?:v4)?|address(?:es)?|server|host|C2|C&C|\bat|\bconnect(?:s|ed|ing)? to|\bfrom|アドレス|サーバー?|"
    r"接続先|通信先|ホスト)[^A-Za-z0-9]{0,6}$"
)
_VERSION_WORD = re.compile(
    r"(?i)(?:version|release|firmware|ver|build|バージョン|ファームウェア|リリース|版)[^A-Za-z0-9]{0,3}$"
)


@dataclass(slots=True)
class Mention:
    """A version in one sentence and what is known of it so far. `first:last` holds its branch's words as well."""

    start: int
    end: int
    number: str
    first: int
    last: int
    condition: Condition | None = None
    branch: Branch | None = None
    lower: str | None = None
    floor: bool = False
    series: bool = False
    product: str | None = None
    noun: tuple[int, int] | None = None


def mentions_of(line: str) -> list[Mention]:
    """Return the versions of one sentence in order; a number that only names another one's branch is left out.

    Only a sentence that holds a `HINT` or one of the `HINT_WORDS` has any.
    """
    found = [_mention(line, match) for match in VERSION.finditer(line) if _is_version(line, match)]
    if not found:
        return []
    kept: list[Mention] = []
    low = 0
    for number, mention in enumerate(found):
        if mention.start < low:  # stands in the words of the branch before
            continue
        coming = found[number + 1].start if number + 1 < len(found) else len(line)
        if _names_branch_of_next(line, low, found, number):
            continue
        _give_branch(line, mention, low, coming)
        low = mention.last
        kept.append(mention)
    branched = [mention for mention in kept if mention.branch]
    return [mention for mention in kept if not _inside_branch(mention, branched)]


def _mention(line: str, match: re.Match[str]) -> Mention:
    start, end = match.start("number"), match.end()
    tail = SERIES_TAIL.match(line, end)
    last = tail.end() if tail else end
    return Mention(start, end, match["number"], start, last, series=tail is not None)


def _is_version(line: str, match: re.Match[str]) -> bool:
    number, before = match["number"], line[max(0, match.start("number") - 40) : match.start("number")]
    after = line[match.end() : match.end() + 2]
    if after[:1] in {"/", "@"} and after[1:].isalpha() and after[1:].isascii():
        return False
    if _DATE.fullmatch(number) and not (number[:4].isdigit() and _is_named_so(before)):
        return False
    if match["word"]:
        return True
    if _NO_VERSION_BEFORE.search(before) or _NO_VERSION_AFTER.match(line, match.end()):
        return False
    if number.count(".") != 3 or _VERSION_WORD.search(before):
        return True
    return not _ADDRESS_BEFORE.search(before) and not _like_address(number)


def _like_address(number: str) -> bool:
    """Whether four numbers begin higher than versions do, and could each be an octet."""
    parts = number.split(".")
    return all(part.isdigit() and int(part) < 256 for part in parts) and int(parts[0]) >= _HIGH


_HIGH = 128
"""Versions begin with small numbers, browsers' by now with 100 and more, of which later parts are no octets."""


def _is_named_so(before: str) -> bool:
    """Whether a number in a date's shape is a version by the words before it: a name, a bound, a comparison."""
    return bool(_AFTER_NAME.search(before) or _BEFORE_DATED.search(before))


def _names_branch_of_next(line: str, low: int, found: list[Mention], number: int) -> bool:
    """Whether the number is said of the version after it: `7.2.x before 7.2.7`, `on Python 3.8, 1.2.3`."""
    if number + 1 >= len(found):
        return False
    mention, following = found[number], found[number + 1]
    if mention.series and following.series:  # two branches side by side
        return False
    branch = branch_before(line, low, following.start)
    return branch is not None and branch.start <= mention.start and (mention.series or branch.tied)


def _give_branch(line: str, mention: Mention, low: int, coming: int) -> None:
    branch = branch_before(line, low, mention.start)
    if mention.series and branch and branch.name[0].isdigit():
        branch = None
    if branch is None:
        branch = branch_after(line, mention.end)
        # what follows is the next version's own: `on Java 7: 2.12.4`
        if branch and line[branch.end : branch.end + 1] == ":" and branch.end < coming:
            branch = None
    if branch:
        mention.branch = branch
        mention.first, mention.last = min(mention.first, branch.start), max(mention.last, branch.end)


def _inside_branch(mention: Mention, branched: list[Mention]) -> bool:
    return any(
        other is not mention and other.branch and other.branch.start <= mention.start < other.branch.end
        and not other.start <= mention.start < other.end
        for other in branched
    )  # fmt: skip
