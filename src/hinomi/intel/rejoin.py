"""Put together again what a page layout broke: words, hashes, addresses and paragraphs over line ends."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from hinomi.intel.language import hard_wrapped, text_width
from hinomi.intel.pdflayout import CELL_MARK, CUT_MARK

_DIGESTS = frozenset({32, 40, 64, 96, 128})
_HEX_END = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8,}$")
_HEX_START = re.compile(r"[0-9a-fA-F]{4,}(?![0-9A-Za-z])")
_URL_END = re.compile(r"(?:h(?:tt|xx|XX)ps?|ftp)(?:\[?:\]?)//\S*$|(?:h(?:tt|xx|XX)ps?)\[://\]\S*$")
_WORD_END = re.compile(r"(?<![\w./:@\\-])[A-Za-z][a-z]{1,}-$")
_WORD_START = re.compile(r"[a-z]{2,}(?![\w-]*(?:[\[(]?\.[\])]?|[/\\@:])\w)")
_SHORT = 25
"""Columns; a shorter line was not cut by the layout."""
_HASH_LINES = 8
"""Lines over which a hash may be broken: a cell of a table can be narrow."""
_FULL = 0.8
_RUN_END = re.compile(r"[\x21-\x7e]{2,}$")
_RUN_START = re.compile(r"[\x21-\x7e]{2,}")
_OPENERS, _CLOSERS = "([{<'\"", ".,:;)>}'\""
_NEW_VALUE = re.compile(r"(?i)h(?:tt|xx)ps?|ftp|www\.|[/\\]|[a-z]:\\|%\w+%")
_VALUE = re.compile(r"[\w\]][./\\@]\w|\w[\[(]\.?|\[\.\]|^/\w|[\\_=&%]\w|^\w+/$|\w/$")
_VERSION = re.compile(r"v?\d+(?:\.\d+)*")
_PAGE_NUMBER = re.compile(r"(?:page\s*)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?", re.IGNORECASE)
_NEW_ITEM = re.compile(r"\s*(?:[-*•●■◆▶✔☑□|#>・]|\d{1,3}[.)]\s|\(\d)")
_ENDS = "。.!?！？:：;；」）)"


def without_running_heads(pages: Sequence[str]) -> list[str]:
    """Drop lines that most pages repeat at their top or bottom, and bare page numbers there."""
    cut = [page.split("\n") for page in pages]
    edges = Counter(key for lines in cut for key in {_key(line) for line in lines[:3] + lines[-3:]} if key)
    often = {key for key, times in edges.items() if times >= 3 and times >= len(pages) * 0.5}
    return ["\n".join(_trimmed(lines, often)) for lines in cut]


def _key(line: str) -> str:
    return re.sub(r"\d+", "0", line.strip())


def _trimmed(lines: list[str], often: set[str]) -> list[str]:
    last = len(lines) - 3
    return [
        line
        for number, line in enumerate(lines)
        if not ((number < 3 or number >= last) and (_key(line) in often or _PAGE_NUMBER.fullmatch(line.strip())))
    ]


class Rejoined(NamedTuple):
    """The text, and the offsets of the line ends in it over which a value may go on: nobody can tell for sure."""

    text: str
    joints: tuple[int, ...]


def rejoin(text: str) -> Rejoined:
    """Join broken words and hashes, and paragraphs on one line where lines were hard-wrapped.

    A hash is whole when its length says so. A URL, domain or path may have been broken at the end of a line or may
    end there: such a line end stays, and is named as a joint.
    """
    lines = [line.rstrip() for line in text.split("\n")]
    wrapped = hard_wrapped([line for line in lines if _is_prose(line)])
    widest = max((len(line) for line in lines), default=0)
    result: list[str] = []
    joints: list[int] = []
    width = 0
    for number, line in enumerate(lines):
        if result and _value_goes_on(result[-1][-300:], line.lstrip(), width, widest):
            joints.append(len(result) - 1)
            joint = None
        else:
            joint = _joint(result[-1], lines[number : number + _HASH_LINES], wrapped) if result else None
        width = len(line)
        if joint is None:
            result.append(line)
        else:
            keep = result[-1][:-1] if joint == "-" else result[-1]
            result[-1] = keep + ("" if joint == "-" else joint) + line.lstrip()
    ends = list(accumulate(len(line) + 1 for line in result))
    return Rejoined("\n".join(result), tuple(ends[number] - 1 for number in joints))


class Uncut(NamedTuple):
    """A text without its `CUT_MARK`s, where those stood, and the joints as they are then."""

    text: str
    cuts: tuple[int, ...]
    joints: tuple[int, ...]


def uncut(text: str, joints: Sequence[int]) -> Uncut:
    """Take out the marks of the line ends within cells."""
    pieces = text.split(CUT_MARK)
    cuts = tuple(accumulate(map(len, pieces[:-1])))
    places = [cut + number for number, cut in enumerate(cuts)]
    return Uncut("".join(pieces), cuts, tuple(joint - bisect_left(places, joint) for joint in joints))


def _is_prose(line: str) -> bool:
    """Neither one long value nor a row of a table: those are as long as they are."""
    return "|" not in line and (" " in line or not line.isascii())


def _joint(before: str, following: Sequence[str], wrapped: bool) -> str | None:
    """What joins two lines: "" or " ", "-" to drop the hyphen, None to leave them apart."""
    tail, after = before[-300:], following[0]
    head = after.lstrip()
    if not tail.strip() or not head:
        return None
    if _broken_hash(tail, following):
        return ""
    if _WORD_END.search(tail) and _WORD_START.match(head):
        return "-"
    last = before.rsplit("\n", 1)[-1]
    if CELL_MARK in before or CELL_MARK in after:
        return None
    if not wrapped or text_width(last) < _SHORT or tail[-1] in _ENDS or _NEW_ITEM.match(after):
        return None
    if tail[-1] >= "\u3000" and head[0] >= "\u3000":
        return ""
    return " " if head[0].islower() or tail[-1] == "," else None


def _broken_hash(tail: str, following: Sequence[str]) -> bool:
    """Tell whether hexadecimal digits go on over line ends until they are as many as a digest has."""
    first = _HEX_END.search(tail)
    if first is None:
        return False
    size, whole = len(first.group()), len(first.group()) in _DIGESTS
    for line in following:
        part = _HEX_START.match(line.lstrip())
        if part is None:
            return False
        size += len(part.group())
        whole = whole and len(part.group()) in _DIGESTS
        if size in _DIGESTS:
            return not whole
        if part.group() != line.strip():
            return False
    return False


def _value_goes_on(tail: str, head: str, width: int, widest: int) -> bool:
    """Tell whether a value may go on over a line end: what stands before looks cut off, what follows like its rest."""
    last, first = _RUN_END.search(tail), _RUN_START.match(head)
    if last is None or first is None or _NEW_VALUE.match(first.group()) or _HEX_END.search(tail):
        return False
    before, after = last.group().lstrip(_OPENERS), first.group().rstrip(_CLOSERS)
    cut_off = before[-1:] in "-/_=&?%" or width >= widest * _FULL
    in_url = bool(_URL_END.search(before))
    valued = in_url or bool(_VALUE.search(before)) or before.endswith("-")
    rest = bool(_VALUE.search(after)) or (in_url and bool(re.search(r"[/%=&]", after)))
    return cut_off and valued and rest and not _VERSION.fullmatch(after)
