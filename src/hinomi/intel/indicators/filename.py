"""File names without a path, also with Japanese names and glued to Japanese text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.hosts import FILE_EXTENSIONS
from hinomi.intel.indicators.naming import kind_of
from hinomi.intel.indicators.roles import file_role
from hinomi.intel.indicators.scan import Scan
from hinomi.intel.vocabulary.namesakes import conditions

# behind a character that no dotted ASCII token has; the dot first, which the engine skips to
_ENDING = re.compile(
    r"\.(?<=[^\x00-\x28\x2a-\x7f]\.)(?:[A-Za-z0-9]{1,10}\.){0,3}([A-Za-z0-9]{1,10})(?![A-Za-z0-9_-]|\.[A-Za-z0-9])"
)
_JAPANESE_STEM = re.compile("[\u3005\u4e00-\u9fff\u30a1-\u30f4\u30fcA-Za-z0-9_()（）【】-]{1,80}$")
_KANA_STOP = re.compile("^[-)）】]+")
_OPEN = "「『\"“'`"
_CLOSE = {"「": "」", "『": "』", '"': '"', "“": "”", "'": "'", "`": "`"}
_NAMING = re.compile(r"(?:file|named|called|document|attachment|archive|as|ファイル|添付|文書|名前)s? ?$")


class _Filename:
    name = "filename"
    order = 70

    def find(self, scan: Scan) -> Iterator[Candidate]:
        for start, end in scan.dotted:
            if scan.taken(start, end):
                continue
            end = start + len(scan.text[start:end].rstrip("-_"))
            if kind_of(scan, start, end) == "file":
                start = _extended(scan, start, end)
                scan.take(start, end)
                yield _claim(scan, start, end)
        yield from _japanese(scan)


def _claim(scan: Scan, start: int, end: int) -> Candidate:
    value = scan.text[start:end]
    if not value.isascii():  # a Japanese name keeps its own full-width brackets: that is how the file is called
        first, last = scan.original(start, end)
        value = scan.context.text[first:last]
    attributes: dict[str, Any] = dict(conditions(value))
    role, why = file_role(scan, start, end, value, honest=bool(attributes))
    return scan.candidate("filename", value, start, end, role=role, confidence=60, why=why, **attributes)


def _extended(scan: Scan, start: int, end: int) -> int:
    """Take a quoted name as a whole (`「請求書_2023.xlsm」`), and Japanese that `_` joins to the name."""
    opening = _opening_quote(scan.text, start, end)
    if opening is not None:
        return opening
    if scan.text[start] in "_-" or scan.text[start - 1 : start] in ("_", "-", ")"):
        match = _JAPANESE_STEM.search(scan.text, max(0, start - 80), start)
        return match.start() if match else start
    return start


def _opening_quote(text: str, start: int, end: int) -> int | None:
    """Return where the name begins inside the quotes that close right after `end`."""
    low = max(0, start - 80)
    for place in range(start - 1, low - 1, -1):
        character = text[place]
        if character in "\n\\/|<>:*?，。、」』":
            return None
        if character in _OPEN:
            if _CLOSE[character] != text[end : end + 1]:
                return None
            inside = text[place + 1 : start]
            quoted_words = inside.count(" ")
            if character in "「『" or quoted_words == 0:
                return place + 1
            return place + 1 if quoted_words <= 6 and _NAMING.search(text[max(0, place - 14) : place].lower()) else None
    return None


def _japanese(scan: Scan) -> Iterator[Candidate]:
    """Names whose stem ends in Japanese (`見積書.exe`): no dotted ASCII token has them."""
    if scan.text.isascii():
        return
    for match in _ENDING.finditer(scan.text):
        place = match.start()
        extension = match.group(1).lower()
        if extension not in FILE_EXTENSIONS or scan.taken(place, place + 1):
            continue
        end = match.end()
        opening = _opening_quote(scan.text, place, end)
        if opening is None:
            stem = _JAPANESE_STEM.search(scan.text, max(0, place - 80), place)
            if stem is None:
                continue
            opening = stem.start() + len(_leading(stem.group()))
        if opening < place and not scan.taken(opening, end):
            scan.take(opening, end)
            yield _claim(scan, opening, end)


def _leading(stem: str) -> str:
    """What stands before the name itself: closing brackets, and words such as `添付ファイル`."""
    match = _KANA_STOP.match(stem)
    cut = match.end() if match else 0
    for word in ("添付ファイル", "実行ファイル", "圧縮ファイル", "文書ファイル", "ファイル"):
        if stem.startswith(word, cut) and len(stem) > cut + len(word):
            cut += len(word)
            break
    return stem[:cut]


FAMILY = _Filename()
