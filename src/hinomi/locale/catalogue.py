"""The one catalogue of words on screen: `en.json` and `ja.json`, the same keys, the same placeholders.

Codes and JSON keys are never translated. Values put into a text are made printable first: they may come from outside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hinomi.model.text import Language, printable

FOLDER = Path(__file__).parent


@cache
def messages(language: Language) -> dict[str, str]:
    """Return every text of one language by key."""
    loaded: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text("utf-8"))
    return loaded


def text(key: str, language: Language, **values: Any) -> str:
    """Return the text of `key` with its values filled in; the key itself where the catalogue lacks it."""
    template = messages(language).get(key, key)
    if not values:
        return template
    return template.format_map({name: _shown(value) for name, value in values.items()})


def has_text(key: str) -> bool:
    """Tell whether the catalogue knows a key."""
    return key in messages("en")


def language_of(environment: Mapping[str, str] = os.environ) -> Language:
    """Return the user's language: HINOMI_LANG, then the locale variables, else English."""
    for name in ("HINOMI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return "ja" if value.lower().startswith("ja") else "en"
    return "en"


def _shown(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value
