"""APT's configuration language: `A::B "value";`, `A { B { "value"; }; };`, `//`, `#` and `/* */` comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_TOKENS = 50_000
MAX_NESTING = 50
_TOKEN = re.compile(r"(?P<comment>//[^\n]*|#[^\n]*|/\*)|\"(?P<text>[^\"]*)\"|(?P<mark>[{};])|(?P<word>[^\s\"{};]+)")


def settings(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (1-based line, full name joined by `::`, value) of every value, also of list items without a name."""
    names: list[str] = []
    pending: str | None = None
    for line, kind, token in _tokens(text):
        if kind == "text":
            yield line, "::".join([*names, pending] if pending else names), token
        elif kind == "word":
            if pending is not None:  # `Name value;` without quotes
                yield line, "::".join([*names, pending]), token
            else:
                pending = token.rstrip(":")
        elif token == "{":
            if len(names) < MAX_NESTING:
                names.append(pending or "")
            pending = None
        else:
            pending = None
            if token == "}" and names:
                names.pop()


def _tokens(text: str) -> Iterator[tuple[int, str, str]]:
    position, line = 0, 1
    for _ in range(MAX_TOKENS):
        match = _TOKEN.search(text, position)
        if match is None:
            return
        line += text.count("\n", position, match.start())
        end = match.end()
        if match.group("comment") is None:
            kind = match.lastgroup or "word"
            yield line, kind, match.group(kind)
        elif match.group("comment") == "/*":
            closing = text.find("*/", end)
            end = len(text) if closing < 0 else closing + 2
        line += text.count("\n", match.start(), end)
        position = end
