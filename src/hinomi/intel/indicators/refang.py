"""Take the fangs' caps off again: `hxxp[:]//evil[.]example` -> `http://evil.example`, with the way back.

The text is rewritten only where a marker stands between characters that a host, an address or a URL could have, and every
rewritten place is remembered, so that a candidate knows its original span and that it was written defanged.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from hinomi.model.claims import Span

_MARKER = re.compile(
    r"""
      (?P<sep>[ ]?[\[({<]\s?(?P<sign>\.|,|dot|d0t|punkt|@|at)\s?[\])}>][ ]?)
    | (?P<colon>\[(?P<part>:|::|://|//|:/|/)\]|\((?P<part2>:|://)\))
    | (?P<half>\[\.(?=\w)|\.\](?=\w)|\(\.(?=\w)|\.\)(?=[a-z]{2,}\b))
    | (?P<back>\\\.(?=[a-z0-9]))
    | (?P<word>[ ](?:dot|at)[ ](?=[a-z0-9]))
    | (?P<entity>&(?:\#(?:46|58|47|64|38|x2e|x3a|x2f|x40|x26)|period|colon|sol|commat|amp);)
    | (?P<percent>(?:%3a%2f%2f|(?<=:)%2f%2f)[^\s"'<>|]{1,2000})
    | (?P<scheme>\b(?:hxxp|hxtp|htxp|hzzp|hyyp|h\*\*p|h__p|meow|mxxp|tftp|fxp)(?=s?(?:\[|:|\(|&|%3a)))
    | (?P<tail>\[s\](?=:|\[))
    | (?P<slashes>(?<=http:)\\\\(?=\w)|(?<=https:)\\\\(?=\w))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ENTITIES = {
    "46": ".",
    "58": ":",
    "47": "/",
    "64": "@",
    "38": "&",
    "x2e": ".",
    "x3a": ":",
    "x2f": "/",
    "x40": "@",
    "x26": "&",
}
_ENTITIES |= {"period": ".", "colon": ":", "sol": "/", "commat": "@", "amp": "&"}
_SCHEMES = {"fxp": "ftp", "tftp": "tftp"}
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_COMMON_TLD = re.compile(
    r"(?:com|net|org|info|biz|jp|ru|cn|xyz|top|io|me|cc|tk|co|us|uk|de|site|online|shop|club)\b", re.I
)
_TOKEN = re.compile(r"[^\s\"'`<>|,;()（）「」]*")
_HOSTISH = re.compile(r"[\w-]*[-\d@.\])}][\w-]*$|@[\w-]+$")


@dataclass(frozen=True, slots=True)
class Refanged:
    """Text with markers replaced. Edit n put `lengths[n]` characters at `places[n]` for the original `spans[n]`."""

    text: str
    places: list[int]
    lengths: list[int]
    spans: list[Span]

    def original(self, start: int, end: int) -> Span:
        """Return the span in the text before refanging."""
        return self._at(start, after=False), self._at(end, after=True)

    def _at(self, offset: int, *, after: bool) -> int:
        number = (bisect_left if after else bisect_right)(self.places, offset) - 1
        if number < 0:
            return offset
        place, length, span = self.places[number], self.lengths[number], self.spans[number]
        if offset >= place + length:
            return span[1] + offset - place - length
        return span[1] if after else span[0]

    def defanged(self, start: int, end: int) -> bool:
        """Tell whether any marker was replaced within `start:end`."""
        number = bisect_left(self.places, end) - 1
        return number >= 0 and self.places[number] + self.lengths[number] > start


def refang(text: str) -> Refanged:
    """Rewrite every marker that stands where an indicator could be."""
    pieces: list[str] = []
    places: list[int] = []
    lengths: list[int] = []
    spans: list[Span] = []
    last = size = 0
    for start, end, plain in _edits(text):
        if start < last:
            continue
        pieces += (text[last:start], plain)
        size += start - last
        places.append(size)
        lengths.append(len(plain))
        spans.append((start, end))
        size += len(plain)
        last = end
    pieces.append(text[last:])
    return Refanged("".join(pieces) if spans else text, places, lengths, spans)


def _edits(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _MARKER.finditer(text):
        kind = str(match.lastgroup)
        if match["sep"]:
            edit = _separator(text, match)
        elif match["percent"]:
            yield from _percent(match)
            continue
        else:
            plain = _plain(text, match, kind)
            edit = None if plain is None else (match.start(), match.end(), plain)
        if edit:
            yield edit


def _word_at(text: str, offset: int) -> bool:
    return 0 <= offset < len(text) and (text[offset].isalnum() or text[offset] in "-_")


def _separator(text: str, match: re.Match[str]) -> tuple[int, int, str] | None:
    """`[.]`, `(dot)`, ` [at] `: the blanks around it belong to it only when words touch on both sides."""
    start, end = match.span("sep")
    before = start - 1
    if text[start] == " " and not (_ascii_word(text, before) and _ascii_word(text, end)):
        start, before = start + 1, start
    if text[end - 1] == " " and not (_ascii_word(text, before) and _ascii_word(text, end)):
        end -= 1
    sign = match["sign"].lower()
    if not _word_at(text, before) or not _word_at(text, end):
        return None
    if sign == "," and text[start] != "[":
        return None
    return start, end, "@" if sign in ("@", "at") else "."


def _ascii_word(text: str, offset: int) -> bool:
    return _word_at(text, offset) and text[offset].isascii()


def _plain(text: str, match: re.Match[str], kind: str) -> str | None:
    if match["colon"]:
        return match["part"] or match["part2"]
    if match["half"]:
        return "." if _word_at(text, match.start() - 1) and _word_at(text, match.end()) else None
    if match["back"]:
        return "." if _backslash_dot(text, match.start()) else None
    if match["word"]:
        return _spelled(text, match)
    if match["entity"]:
        return _ENTITIES[match["entity"].strip("&#;").lower()]
    if match["tail"]:
        return "s"
    if match["slashes"]:
        return "//"
    return _SCHEMES.get(match["scheme"].lower(), "http")


def _backslash_dot(text: str, place: int) -> bool:
    r"""`evil\.com`, but not a path such as `C:\Users\.ssh`."""
    if place == 0 or not (text[place - 1].isascii() and text[place - 1].isalnum()):
        return False
    start = place
    while start > 0 and place - start < 200 and not text[start - 1].isspace() and text[start - 1] not in "\"'`<>|,;()":
        start -= 1
    match = _TOKEN.match(text, start, start + 400)
    token = match.group() if match else ""
    return "\\" not in token.replace("\\.", "") and ":" not in token[:2] and not token.startswith("%")


def _spelled(text: str, match: re.Match[str]) -> str | None:
    """` DOT ` and ` AT ` spelled out. In small letters only where host-like words touch it."""
    word = match.group().strip()
    before = text[max(0, match.start() - 40) : match.start()].rsplit(" ", 1)[-1]
    follows_tld = _COMMON_TLD.match(text, match.end()) is not None
    if word.lower() == "dot":
        if not follows_tld or not before or not before[-1].isalnum():
            return None
        return "." if word.isupper() or _HOSTISH.search(before) else None
    following = text[match.end() : match.end() + 60].split(" ", 2)
    spelled = word.isupper() and before[-1:].isalnum()
    return "@" if spelled and (len(following) > 1 and following[1].lower() == "dot" or "[.]" in following[0]) else None


def _percent(match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    for escape in _PERCENT.finditer(match.group()):
        plain = chr(int(escape.group()[1:], 16))
        if plain.isascii() and plain.isprintable() and not plain.isspace():
            yield match.start() + escape.start(), match.start() + escape.end(), plain
