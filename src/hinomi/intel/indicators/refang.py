"""Take the fangs' caps off again: `hxxp[:]//evil[.]example` -> `http://evil.example`, with the way back.

The text is rewritten only where a marker stands between characters that a host, an address or a URL could have, and
every rewritten place is remembered, so that a candidate knows its original span and that it was written defanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hinomi.model.claims import Span

# Each pattern begins with a character class or a literal, which the engine skips to; one big alternation is far slower.
_BRACKET = re.compile(
    r"[\[({<](?:\s?(?P<sign>\.|,|dot|d0t|punkt|@|at)\s?[\])}>]|(?P<colon>:|::|://|//|:/|/)[\])]|(?P<half>\.)(?=\w)|(?P<s>s)\](?=:|\[))",
    re.IGNORECASE,
)
_HALF = re.compile(r"\.[\])](?=\w)")
_ENTITY = re.compile(
    r"&(?:#(?P<code>46|58|47|64|38|x2e|x3a|x2f|x40|x26)|(?P<name>period|colon|sol|commat|amp));", re.IGNORECASE
)
_ESCAPED = re.compile(r"%3a%2f%2f[^\s\"'<>|]{1,2000}|%2f%2f(?<=:%2f%2f)[^\s\"'<>|]{1,2000}", re.IGNORECASE)
_BACKSLASHES = re.compile(r"(?:tt|xx)ps?:\\\\(?=\w)")
_SCHEME_WORDS = ("hxxp", "hxtp", "htxp", "hzzp", "hyyp", "h**p", "h__p", "meow", "mxxp", "fxp")
_AFTER_SCHEME = re.compile(r"s?(?:\[|:|\(|&|%3a)", re.IGNORECASE)
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
    """Yield (start, end, plain) in order of place."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = text
    found = [edit for match in _BRACKET.finditer(text) if (edit := _bracket(text, match))]
    found += [(m.start(), m.end(), ".") for m in _HALF.finditer(text) if _ascii_word(text, m.start() - 1)]
    for word in _SCHEME_WORDS:
        found += [(p, p + len(word), "ftp" if word == "fxp" else "http") for p in _scheme_places(lower, word)]
    found += [(p, p + 1, "") for p in _places(text, "\\.") if _backslash_dot(text, p)]
    for word in (" dot ", " at "):
        found += [edit for place in _places(lower, word) if (edit := _spelled(text, place, word.strip()))]
    if "&" in text:
        found += [(*m.span(), _ENTITIES[(m["code"] or m["name"]).lower()]) for m in _ENTITY.finditer(text)]
    if "%2f%2f" in lower:
        for match in _ESCAPED.finditer(text):
            found += _percent(match)
    if ":\\\\" in text:
        found += [(m.end() - 2, m.end(), "//") for m in _BACKSLASHES.finditer(lower)]
    found.sort()
    yield from found


def _places(text: str, literal: str) -> Iterator[int]:
    place = text.find(literal)
    while place >= 0:
        yield place
        place = text.find(literal, place + 1)


def _scheme_places(lower: str, word: str) -> Iterator[int]:
    for place in _places(lower, word):
        before = lower[place - 1 : place]
        if not (before.isascii() and before.isalnum()) and _AFTER_SCHEME.match(lower, place + len(word)):
            yield place


def _bracket(text: str, match: re.Match[str]) -> tuple[int, int, str] | None:
    if match["sign"]:
        return _separator(text, match)
    if match["colon"]:
        return match.start(), match.end(), match["colon"]
    if match["half"]:
        inside = _word_at(text, match.start() - 1) and _word_at(text, match.end())
        return (match.start(), match.end(), ".") if inside else None
    return match.start(), match.end(), "s"


def _word_at(text: str, offset: int) -> bool:
    return 0 <= offset < len(text) and (text[offset].isalnum() or text[offset] in "-_")


def _separator(text: str, match: re.Match[str]) -> tuple[int, int, str] | None:
    """`[.]`, `(dot)`, ` [at] `: the blanks around it belong to it only when words touch on both sides."""
    start, end = match.span()
    if (
        text[start - 1 : start] == " "
        and _ascii_word(text, start - 2)
        and not (text[end : end + 1].isdigit() and not text[start - 2].isdigit())  # `and [.]104`: an octet alone
        and _ascii_word(text, end + (text[end : end + 1] == " "))
    ):
        start -= 1
    if text[end : end + 1] == " " and _ascii_word(text, start - 1) and _ascii_word(text, end + 1):
        end += 1
    before = start - 1
    sign = match["sign"].lower()
    if not _word_at(text, before) or not _word_at(text, end):
        return None
    if sign == "," and text[match.start()] != "[":
        return None
    return start, end, "@" if sign in ("@", "at") else "."


def _ascii_word(text: str, offset: int) -> bool:
    return _word_at(text, offset) and text[offset].isascii()


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


def _spelled(text: str, place: int, word: str) -> tuple[int, int, str] | None:
    """` DOT ` and ` AT ` spelled out. In small letters only where host-like words touch it."""
    end = place + len(word) + 2
    spelled = text[place + 1 : end - 1].isupper()
    before = text[max(0, place - 40) : place].rsplit(" ", 1)[-1]
    if not before or not before[-1].isalnum():
        return None
    if word == "dot":
        wanted = _COMMON_TLD.match(text, end) and (spelled or _HOSTISH.search(before))
        return (place, end, ".") if wanted else None
    following = text[end : end + 60].split(" ", 2)
    hostlike = (len(following) > 1 and following[1].lower() == "dot") or "[.]" in following[0]
    return (place, end, "@") if spelled and hostlike else None


def _percent(match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    for escape in _PERCENT.finditer(match.group()):
        plain = chr(int(escape.group()[1:], 16))
        if plain.isascii() and plain.isprintable() and not plain.isspace():
            yield match.start() + escape.start(), match.start() + escape.end(), plain
