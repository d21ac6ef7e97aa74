"""Columns for words from outside: what one of the two databases cannot hold is replaced, letter for letter.

PostgreSQL takes no NUL and minds the length that a column declares; neither database takes half a surrogate pair.
Every replacement is one letter for one, so that offsets into a kept text still lead to the same place.
"""

from __future__ import annotations

import re

from sqlalchemy import Dialect, String, TypeDecorator
from sqlalchemy import Text as LongText

_UNHELD = re.compile("[\0\ud800-\udfff]")


def holdable(words: str) -> str:
    """Return `words` with NUL shown as ␀ and half a surrogate pair as the replacement character."""
    return _UNHELD.sub(lambda found: "\u2400" if found.group() == "\0" else "\ufffd", words)


class Text(TypeDecorator[str]):
    """Words of any length."""

    impl = LongText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make a value storable."""
        return None if value is None else holdable(value)


class Word(TypeDecorator[str]):
    """Words of at most the declared length; longer ones are cut."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make a value storable."""
        return None if value is None else holdable(value)[: self.length]
