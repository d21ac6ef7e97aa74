"""Put together again what a page layout broke: words, hashes, addresses and paragraphs over line ends."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from hinomi.intel.language import hard_wrapped

_DIGESTS = frozenset({32, 40, 64, 96, 128})
_HEX_END = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8,}$")
_HEX_START = re.compile(r"[0-9a-fA-F]{4,}(?![0-9A-Za-z])")
_URL_END = re.compile(r"(?:h(?:tt|xx|XX)ps?|ftp)(?:\[?:\]?)//\S*$|(?:h(?:tt|xx|XX)ps?)\[://\]\S*$")
_URL_PART = re.compile(r"[\w%&=?./#~+-]+")
_WORD_END = re.compile(r"(?<![\w./:@\\-])[A-Za-z][a-z]{1,}-$")
_WORD_START = re.compile(r"[a-z]{2,}(?![\w]*[./\\@:\[][\w])")
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


def rejoin(text: str) -> str:
    """Return `text` with broken values and words joined, and paragraphs on one line where lines were hard-wrapped."""
    lines = [line.rstrip() for line in text.split("\n")]
    wrapped = hard_wrapped(lines)
    widest = max((len(line) for line in lines), default=0)
    result: list[str] = []
    for line in lines:
        joint = _joint(result[-1], line, wrapped, widest) if result else None
        if joint is None:
            result.append(line)
        else:
            keep = result[-1][:-1] if joint == "-" else result[-1]
            result[-1] = keep + ("" if joint == "-" else joint) + line.lstrip()
    return "\n".join(result)


def _joint(before: str, after: str, wrapped: bool, widest: int) -> str | None:
    """What joins two lines: "" or " ", "-" to drop the hyphen, None to leave them apart."""
    tail, head = before[-300:], after.lstrip()
    if not tail.strip() or not head:
        return None
    if _broken_hash(tail, head) or _broken_url(tail, head, widest, len(before)):
        return ""
    if _WORD_END.search(tail) and _WORD_START.match(head):
        return "-"
    last = before.rsplit("\n", 1)[-1]
    if not wrapped or len(last) < 25 or tail[-1] in _ENDS or _NEW_ITEM.match(after):
        return None
    if tail[-1] >= "\u3000" and head[0] >= "\u3000":
        return ""
    return " " if head[0].islower() or tail[-1] == "," else None


def _broken_hash(tail: str, head: str) -> bool:
    first, second = _HEX_END.search(tail), _HEX_START.match(head)
    if not first or not second:
        return False
    sizes = len(first.group()), len(second.group())
    return sum(sizes) in _DIGESTS and not all(size in _DIGESTS for size in sizes)


def _broken_url(tail: str, head: str, widest: int, width: int) -> bool:
    if not _URL_END.search(tail):
        return False
    part = _URL_PART.match(head)
    if part is None or head.lower().startswith(("http", "hxxp", "ftp", "www.")):
        return False
    piece = part.group()
    path_like = "/" in piece or "%" in piece or "=" in piece or bool(re.search(r"\w\.\w{2,5}$", piece))
    return path_like and (tail[-1] in "/-_=&?%." or width >= widest * 0.8)
