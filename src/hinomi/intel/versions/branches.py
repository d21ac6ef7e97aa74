"""The branch a version stands for: `2.12.4 on Java 7`, 「Java 8では2.17.1」, 「10.2系: 10.2.4」, `7.2.x before`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UP = r"(?:\+| ?(?:または(?:それ)?|もしくは)?(?:以降|以上)|,? (?:and|or) (?:later|newer|above|higher|up)\b)?"
_PLATFORMS = (
    r"Java(?: SE)?|JRE|JDK|OpenJDK|Windows(?: Server)?|Linux|macOS|Mac OS X|OS X|Python|PHP|Node(?:\.js)?|"
    r"\.NET(?: Framework| Core)?|Ruby|Perl|Scala|Kotlin|Go|Android|iOS|iPadOS|Ubuntu|Debian|RHEL|CentOS|AlmaLinux|"
    r"Rocky Linux|SLES|Fedora|Alpine|FreeBSD|Solaris|AIX"
)
_PLATFORM = rf"(?<![A-Za-z0-9.-])(?:{_PLATFORMS}) ?\d{{1,4}}(?:\.\d{{1,3}}){{0,2}}{_UP}"
_SERIES_WORD = (
    r"(?: ?(?:系列?|ブランチ|シリーズ)| (?:branch|series|train|stream|line|track|"
    r"LTS(?: (?:branch|series|line|track))?)(?:es)?\b)"
)
_TAIL = rf"(?:\.[xX*](?![A-Za-z0-9])(?:{_SERIES_WORD})?|{_SERIES_WORD})"
_SERIES = rf"(?<![A-Za-z0-9.])[vV]?\d{{1,4}}(?:\.\d{{1,4}}){{0,2}}{_TAIL}"
_EITHER = rf"(?:{_PLATFORM}|{_SERIES})"
_USERS = r"(?: (?:users|systems|installations|customers|deployments|environments|hosts|releases|versions))?"

SERIES_TAIL = re.compile(_TAIL)
"""What makes the number before it a branch and no version."""
_AFTER = re.compile(
    rf" ?[(\[【](?:for |on |in |under |with )?(?P<paren>[^()\[\]【】\n]{{2,40}})[)\]】]"
    rf"|,? (?:for|on|under|with|in|if (?:you )?(?:use|run|are on)|when (?:using|running)) (?:the |those on )?"
    rf"(?P<plain>{_EITHER}){_USERS}"
)
_BEFORE = re.compile(
    r"(?P<on>\b(?:[Oo]n|[Ff]or|[Uu]nder|[Ww]ith|[Ii]n|[Ii]f (?:you )?(?:use|run|are on)) (?:the )?)?"
    rf"(?P<branch>{_EITHER})(?P<users>{_USERS})(?: (?:should|must|need to|can|have to|may))?"
    r"(?:,? (?:please )?(?:be )?(?:upgraded?|updated?|moved?|go|patched?|migrated?|install|use)"
    r"(?: [A-Za-z][\w.-]{0,24}){0,4}?)?"
    r"(?: ?(?:,|:|->|→|⇒|=>|-|–| to| use| is| are| requires?| needs?))? ?(?:[Vv]ersion |[vV])?$"
    rf"|(?P<japanese>{_EITHER}) ?(?:では|には|で|は|の場合(?:は|には)?|の(?:環境|ユーザー?|利用者)?(?:では|は)?|"
    r"向け(?:には|は|の)?|用の?|環境(?:では|は|の場合は)?|を(?:お使い|使用|利用)(?:している|中|の)?(?:場合)?(?:は|なら)?|"
    r"なら(?:ば)?|について(?:は)?|に対して(?:は)?)、?(?:[^、。;:0-9]{0,12}[A-Za-z0-9-]{0,16}(?:を|は|の|が))? ?"
    r"(?:バージョン ?)?[vV]?$"
    rf"|(?P<bound>{_SERIES})(?: (?:versions?|releases?))?(?: ?(?:の|のうち|は))?,? ?"
    r"(?:before|prior to|below|earlier than|older than|up to|through|until)? ?(?:version )?[vV]?$"
)
_PARTS = re.compile(
    rf"(?P<name>{_PLATFORMS}|[A-Z][A-Za-z.+#]{{1,20}}) ?(?P<number>\d{{1,4}}(?:\.\d{{1,3}})?)(?![\d.]\d?)(?P<up>{_UP})"
)
_NO_BRANCH = frozenset({"cvss", "cve", "build", "port", "score", "version", "ver", "table", "section", "figure", "kb"})
_LOOK_BACK = 70


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch's name, where it stands in the line with the words that tie it to the version, where its words end.

    `tied` where those words leave no doubt.
    """

    name: str
    start: int
    end: int
    words_end: int
    tied: bool = False


def branch_after(line: str, end: int) -> Branch | None:
    """Return the branch that follows the version ending at `end`: in brackets, or behind on, for, under."""
    if line[end : end + 2].lstrip()[:1] not in _MAY_FOLLOW:
        return None
    found = _AFTER.match(line, end)
    name = named(found["paren"] or found["plain"]) if found else None
    return Branch(name, end, found.end(), found.end()) if found and name else None


_MAY_FOLLOW = frozenset("([【,foinuw")


def branch_before(line: str, low: int, start: int) -> Branch | None:
    """Return the branch that stands between `low` and the version at `start`, tied to it."""
    low = max(low, start - _LOOK_BACK)
    before = line[low:start]
    if len(before) < 3 or not _DIGIT.search(before):
        return None
    found = _BEFORE.search(before)
    if not found:
        return None
    group = next(kind for kind in ("branch", "japanese", "bound") if found[kind])
    name = named(found[group])
    tied = bool(found["japanese"] or found["on"] or found["users"])
    return Branch(name, low + found.start(), start, low + found.end(group), tied) if name else None


_DIGIT = re.compile(r"\d")


def named(text: str) -> str | None:
    """Return the branch's name in one form (`Java 8+`, `10.2`), or None where `text` names none."""
    if series := _ONLY_SERIES.fullmatch(text.strip()):
        return series["number"]
    found = _PARTS.search(text)
    if not found or found["name"].casefold() in _NO_BRANCH:
        return None
    return f"{found['name'].strip()} {found['number']}{'+' if found['up'] else ''}"


_ONLY_SERIES = re.compile(
    rf"[vV]?(?P<number>\d{{1,4}}(?:\.\d{{1,4}}){{0,2}})(?:\.[xX*])?(?:{_SERIES_WORD})?(?:の場合|向け|用)?"
)
