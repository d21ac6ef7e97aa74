"""The language of this invocation, decided once before any help text is made."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from hinomi.locale.catalogue import language_of, text
from hinomi.model.text import Language


@cache
def language() -> Language:
    """Return the language: `--lang` anywhere on the command line, HINOMI_LANG, `hinomi.toml`, then the locale."""
    chosen = _from_arguments(sys.argv[1:])
    if chosen:
        return chosen
    return language_of()


def say(key: str, **values: Any) -> str:
    """Return a catalogue text in the language of this invocation."""
    return text(key, language(), **values)


def _from_arguments(arguments: list[str]) -> Language | None:
    for position, word in enumerate(arguments):
        value = ""
        if word == "--lang" and position + 1 < len(arguments):
            value = arguments[position + 1]
        elif word.startswith("--lang="):
            value = word.removeprefix("--lang=")
        if value in ("ja", "en"):
            return value  # type: ignore[return-value]
    return None
