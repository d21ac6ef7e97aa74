"""JSON from outside: parsed or refused, and read without trusting the type of anything in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hinomi.intel.encoding import decode
from hinomi.intel.format import DAMAGE
from hinomi.model.errors import HinomiError

Tree = dict[str, Any]
_BROKEN: tuple[type[Exception], ...] = (HinomiError, *DAMAGE)


def parsed(data: bytes) -> Any:
    """Return the JSON value in `data` (one a line: the list of them), or None where it is none (broken, too deep).

    UTF-8, UTF-16 and UTF-32 as JSON's own rules tell them apart; other encodings as for any report.
    """
    try:
        return _loaded(_decoded(data))
    except _BROKEN:  # RecursionError (a RuntimeError) and ValueError among them
        return None


def _decoded(data: bytes) -> str:
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        return decode(data, "json")[0]


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data" or "\n" not in text[: error.pos]:
            raise
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def looks_like_json(data: bytes) -> bool:
    """Tell whether the first character begins an object or a list."""
    head = data[:64]
    if b"\0" in head:
        head = head.decode(json.detect_encoding(head), "ignore").encode("utf-8", "ignore")
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def trees(value: Any) -> Iterator[Tree]:
    """Yield the objects of a list (or the one object); anything else is passed over."""
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, dict):
            yield item


def tree(value: Any) -> Tree:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def word(value: Any) -> str:
    """Return a text or number as text, else nothing."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def words(value: Any) -> list[str]:
    """Return the texts of a list, or the one text."""
    return [said for item in (value if isinstance(value, list) else [value]) if (said := word(item))]


def day(value: Any) -> str | None:
    """Return the date of an ISO 8601 time, or None; 0001-01-01 and `UNDATED` stand where no date was given."""
    from datetime import date

    try:
        known = date.fromisoformat(word(value)[:10])
    except ValueError:
        return None
    return known.isoformat() if known.year >= _FIRST_YEAR and known.isoformat() != UNDATED else None


_FIRST_YEAR = 1971
UNDATED = "2000-01-01"
"""What we write where a format wants a date and the report has none."""
