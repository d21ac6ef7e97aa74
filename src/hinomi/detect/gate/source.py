"""The text of one YARA rule taken apart: its patterns as written, its condition as words.

The compiler has accepted the text before. Whatever this reader does not know makes it give up (`None`): the rule is
then asked of every file, as if there were no gate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

MAX_SOURCE = 1 << 20


class Pattern(NamedTuple):
    """One pattern: `kind` is text, hex or regex, `value` what stands between its marks, not unescaped."""

    kind: str
    value: str
    modifiers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Source:
    """One rule."""

    patterns: dict[str, Pattern]  # by `$name`; those without a name get one that no condition can hold
    condition: tuple[str, ...]  # words and signs


_SPACE = r"(?:\s|//[^\n]*(?:\n|\Z)|/\*.*?\*/)+"
_TEXT = r'"(?:[^"\\\n]|\\.)*"'
_TOKEN = re.compile(
    rf"(?P<space>{_SPACE})|(?P<text>{_TEXT})|(?P<word>[$#@!]?[A-Za-z_]\w*\*?|[$#@!]\*?)"
    r"|(?P<number>0x[0-9A-Fa-f]+|0o[0-7]+|[0-9]+(?:\.[0-9]+|[KM]B)?)|(?P<sign>\.\.|[=!<>]=|<<|>>|[-+*%&|^~<>=:.,()\[\]{}])",
    re.DOTALL,
)
_HEX = re.compile(r"\{((?:[^}/]|//[^\n]*\n|/\*.*?\*/)*)\}", re.DOTALL)
_REGEX = re.compile(r"/((?:[^/\\\n]|\\[^\n])+)/([a-z]*)")
_ARGUMENT = re.compile(r"\([^()\"]*\)|\(\s*\"[^\"]*\"\s*\)")
_MODIFIERS = frozenset("nocase wide ascii fullword private xor base64 base64wide".split())


class _UnknownError(Exception):
    """Something that this reader does not know."""


def read_source(text: str) -> Source | None:
    """Return the only rule in `text`; None for several rules, global ones, and whatever is not understood."""
    if len(text) > MAX_SOURCE:
        return None
    reader = _Reader(text)
    try:
        return reader.rule()
    except _UnknownError:
        return None


class _Reader:
    """Reads words from the text, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._names = 0
        self._last = ""

    def rule(self) -> Source:
        while (word := self._next()) == "import":
            self._next()
        while word == "private":
            word = self._next()
        if word != "rule":
            raise _UnknownError
        self._until("{")
        word = self._next()
        if word == "meta":
            self._until("strings", "condition")
            word = self._last
        patterns = self._patterns() if word == "strings" else {}
        self._expect("condition" if word == "strings" else word, ":")
        return Source(patterns, self._condition())

    def _expect(self, last: str, following: str) -> None:
        if last != "condition" or self._next() != following:
            raise _UnknownError

    def _next(self) -> str:
        """Return the next word; empty at the end."""
        while self._at < len(self._text):
            match = _TOKEN.match(self._text, self._at)
            if match is None:
                raise _UnknownError
            self._at = match.end()
            if match.lastgroup != "space":
                self._last = match[0]
                return match[0]
        return ""

    def _until(self, *words: str) -> None:
        """Go behind one of these words that a colon or nothing has to follow."""
        while (word := self._next()) not in words or (len(words) > 1 and not self._colon_follows()):
            if not word:
                raise _UnknownError

    def _colon_follows(self) -> bool:
        kept, last = self._at, self._last
        follows = self._next() == ":"
        self._at, self._last = kept, last
        return follows

    def _patterns(self) -> dict[str, Pattern]:
        """Read the patterns up to the word `condition`, which is taken too."""
        if self._next() != ":":
            raise _UnknownError
        found: dict[str, Pattern] = {}
        while (name := self._next()) != "condition":
            if not name.startswith("$") or name.endswith("*") or self._next() != "=":
                raise _UnknownError
            if name == "$":
                self._names += 1
                name = f"$ {self._names}"
            kind, value = self._value()
            found[name] = Pattern(kind, value, self._modifiers())
        return found

    def _value(self) -> tuple[str, str]:
        space = re.compile(_SPACE, re.DOTALL).match(self._text, self._at)
        if space:
            self._at = space.end()
        for kind, form in (("hex", _HEX), ("regex", _REGEX), ("text", re.compile(_TEXT))):
            match = form.match(self._text, self._at)
            if match is not None:
                self._at = match.end()
                return kind, match[0][1:-1] if kind == "text" else match[1]
        raise _UnknownError

    def _modifiers(self) -> frozenset[str]:
        found: set[str] = set()
        while True:
            kept = self._at
            word = self._next()
            if word not in _MODIFIERS:
                self._at = kept
                return frozenset(found)
            found.add(word)
            argument = _ARGUMENT.match(self._text, self._at)
            if argument is not None:
                self._at = argument.end()

    def _condition(self) -> tuple[str, ...]:
        words: list[str] = []
        while (word := self._next()) != "}":
            if not word or word == "{":
                raise _UnknownError
            words.append(word)
        if self._next():  # another rule
            raise _UnknownError
        return tuple(words)
