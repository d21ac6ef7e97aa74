"""The word lists beside this module: one entry a line, a line that begins with `#` is a comment."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def data_words(name: str) -> frozenset[str]:
    """Return the entries of the list `name`, in small letters."""
    text = files(__package__).joinpath("data", name).read_text(encoding="utf-8")
    lines = (line for line in text.split("\n") if not line.startswith("#"))
    return frozenset(word.lower() for line in lines for word in line.split())
