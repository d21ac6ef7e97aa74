"""Texts that carry both languages, and safe display of text that came from outside."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

Language = Literal["ja", "en"]

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One sentence in English and in Japanese."""

    en: str
    ja: str

    def in_language(self, language: Language) -> str:
        """Return the text in `language`."""
        return self.ja if language == "ja" else self.en

    def to_json(self) -> dict[str, str]:
        """Return `{"en", "ja"}`."""
        return {"en": self.en, "ja": self.ja}


def printable(text: str, *, keep_newlines: bool = False) -> str:
    r"""Show control, bidi and surrogate characters as escapes (`\x1b`, `\u202e`, `\udcff` as `\xff`).

    Text from evidence is hostile: a raw escape sequence could rewrite the reader's screen or forge a report line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(c, keep_newlines) for c in text)


def _shown(character: str, keep_newlines: bool) -> str:
    code = ord(character)
    if character == "\n" and keep_newlines:
        return character
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8 (surrogateescape)
        return f"\\x{code - 0xDC00:02x}"
    if character in _BIDI or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    return character


def path_text(path: bytes) -> str:
    """Decode a path for a row: UTF-8 with `surrogateescape`, so that no byte is lost.

    `path_bytes` turns it back. Parquet wants valid UTF-8, so the store escapes lone surrogates as `\\xNN` on the
    way in; display goes through `printable`.
    """
    return path.decode("utf-8", "surrogateescape")


def path_bytes(text: str) -> bytes:
    """Turn `path_text` back into the path's own bytes."""
    return text.encode("utf-8", "surrogateescape")
