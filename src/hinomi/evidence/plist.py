"""Property lists from outside: XML or binary, every failure of the reader turned into `ParseError`."""

from __future__ import annotations

import plistlib
import struct
from typing import Any
from xml.parsers.expat import ExpatError

from hinomi.model.errors import ParseError

MAX_PLIST = 4 << 20
_FAILURES = (
    plistlib.InvalidFileException, ExpatError, struct.error, ValueError, LookupError, TypeError, AttributeError,
    OverflowError, RecursionError, MemoryError, AssertionError,
)  # fmt: skip


def read_plist(data: bytes, place: str) -> dict[str, Any]:
    """Return the property list's dictionary; `ParseError` for anything else (entities are refused by the reader)."""
    if len(data) > MAX_PLIST:
        raise ParseError("plist-too-large", place=place, cause=f"{len(data)} bytes")
    try:
        value = plistlib.loads(data)
    except _FAILURES as error:
        raise ParseError("plist-unreadable", place=place, cause=type(error).__name__) from error
    if not isinstance(value, dict):
        raise ParseError("plist-unreadable", place=place, cause="no dictionary at the top")
    return {str(key): item for key, item in value.items()}


def plist_text(value: Any) -> str | None:
    """Return a string value, None for any other type."""
    return value if isinstance(value, str) else None
