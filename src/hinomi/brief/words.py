"""Bilingual texts from the one catalogue, for what is written in both languages at once."""

from __future__ import annotations

from typing import Any

from hinomi.locale.catalogue import text
from hinomi.model.text import Bilingual


def both(key: str, **values: Any) -> Bilingual:
    """Return a catalogue text in both languages; values that are bilingual are taken in the language at hand."""
    english = {name: value.en if isinstance(value, Bilingual) else value for name, value in values.items()}
    japanese = {name: value.ja if isinstance(value, Bilingual) else value for name, value in values.items()}
    return Bilingual(text(key, "en", **english), text(key, "ja", **japanese))
