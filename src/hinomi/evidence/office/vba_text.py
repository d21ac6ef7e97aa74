"""VBA source as text: logical lines, comments dropped, and constant string expressions folded.

Macros hide words by splitting them (`"Sta" & "rtup"`), by character codes (`Chr(83)`), by `StrReverse` and `Replace`,
and by variables. Whatever is constant is put together again; nothing is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_LINES = 50_000
MAX_LINE = 16_384
MAX_PARTS = 30  # a statement may be continued 24 times
MAX_TOKENS = 4000
MAX_TEXT = 8192
MAX_WORK = 2_000_000  # terms folded plus characters put together, per module
MAX_DEPTH = 30
MAX_ARGUMENTS = 500
_ITEM = "\0"  # between the items of a constant array
_TOKEN = re.compile(
    r"\"(?P<text>(?:[^\"]|\"\")*)\"|(?P<number>&[hH][0-9A-Fa-f]{1,8}&?|\d{1,10})|(?P<name>[^\W\d]\w{0,254}\$?)|(?P<mark>[&+(),=.:])"
)
_CHARACTER = frozenset({"chr", "chrw", "chrb", "chr$", "chrw$"})


def logical_lines(source: str) -> Iterator[tuple[int, str]]:
    """Yield (1-based line, code) with ` _` continuations joined, comments and `Attribute` lines dropped."""
    parts: list[str] = []
    first = 0
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", source)[:MAX_LINES], 1):
        line = raw[:MAX_LINE].rstrip()
        first = first or number
        if line.endswith(" _") and len(parts) < MAX_PARTS:
            parts.append(line[:-2])
            continue
        code = without_comment(" ".join([*parts, line])).strip()
        if code and not code.startswith("Attribute "):
            yield first, code
        parts, first = [], 0


def without_comment(line: str) -> str:
    """Cut the comment (`'` outside a string, or a leading `Rem`)."""
    if re.match(r"\s*rem(\s|$)", line, re.IGNORECASE):
        return ""
    inside = False
    for index, character in enumerate(line):
        if character == '"':
            inside = not inside
        elif character == "'" and not inside:
            return line[:index]
    return line


@dataclass
class Folder:
    """Folds constant string expressions line by line; remembers variables that were given constants."""

    known: dict[str, str] = field(default_factory=dict)
    work: int = 0

    def strings(self, line: str) -> list[str]:
        """Return the constant strings of a line after folding, in order; an assignment is remembered."""
        return [text for tokens in _statements(_tokens(line)) for text in self._statement(tokens)]

    def _statement(self, tokens: list[tuple[str, str]]) -> list[str]:
        found: list[str] = []
        position = 0
        target = _assigned(tokens)
        if target is not None:
            position = next(i for i, token in enumerate(tokens) if token[1] == "=") + 1
            text, end = self._expression(tokens, position, 0)
            if text is not None and end >= len(tokens):
                self.known[target] = text[:MAX_TEXT]
            else:
                self.known.pop(target, None)
        while position < len(tokens):
            text, end = self._expression(tokens, position, 0)
            if text:
                found.extend(part for part in text.split(_ITEM) if part)
            position = max(end, position + 1)
        return found

    def _expression(self, tokens: list[tuple[str, str]], position: int, depth: int) -> tuple[str | None, int]:
        """Fold `term (& term)*`; returns (text or None, where it ends). Non-constant terms end the text."""
        text, position = self._term(tokens, position, depth)
        while text is not None and position + 1 < len(tokens) and tokens[position][1] in ("&", "+"):
            more, end = self._term(tokens, position + 1, depth)
            if more is None:
                break
            self.work += len(text) + len(more)
            text, position = (text + more)[:MAX_TEXT], end
        return text, position

    def _term(self, tokens: list[tuple[str, str]], position: int, depth: int) -> tuple[str | None, int]:
        self.work += 1
        if position >= len(tokens) or depth > MAX_DEPTH or self.work > MAX_WORK:
            return None, position + 1
        kind, value = tokens[position]
        if kind == "text":
            return value, position + 1
        if kind == "name":
            following = tokens[position + 1][1] if position + 1 < len(tokens) else ""
            if following == "(":
                return self._call(value.lower(), tokens, position, depth)
            if following != "." and (position == 0 or tokens[position - 1][1] != "."):
                return self.known.get(value.lower(), _CONSTANTS.get(value.lower())), position + 1
        if value == "(" and (position == 0 or tokens[position - 1][0] != "name"):  # else: a call's arguments
            text, end = self._expression(tokens, position + 1, depth + 1)
            if text is not None and end < len(tokens) and tokens[end][1] == ")":
                return text, end + 1
        return None, position + 1

    def _call(self, name: str, tokens: list[tuple[str, str]], position: int, depth: int) -> tuple[str | None, int]:
        if name in _CHARACTER:
            return _character(tokens, position)
        if name not in _FUNCTIONS:
            return None, position + 1
        arguments: list[str] = []
        at = position + 2
        while at < len(tokens) and len(arguments) < MAX_ARGUMENTS:
            if tokens[at][0] == "number":
                text, at = tokens[at][1], at + 1
            else:
                folded, at = self._expression(tokens, at, depth + 1)
                if folded is None:
                    return None, position + 1
                text = folded
            arguments.append(text)
            if at < len(tokens) and tokens[at][1] == ")":
                return _applied(name, arguments), at + 1
            at += 1
        return None, position + 1


_CONSTANTS = {"vbnullstring": "", "vbcrlf": "\r\n", "vbcr": "\r", "vblf": "\n", "vbtab": "\t", "vbnewline": "\r\n"}
_FUNCTIONS = frozenset(
    {
        "strreverse",
        "replace",
        "lcase",
        "ucase",
        "trim",
        "ltrim",
        "rtrim",
        "cstr",
        "left",
        "right",
        "mid",
        "array",
        "join",
    }
    | {"left$", "right$", "mid$", "lcase$", "ucase$", "trim$", "environ", "environ$"}
)


def _applied(name: str, arguments: list[str]) -> str | None:
    first = arguments[0].replace(_ITEM, "") if name != "join" else arguments[0]
    match name.rstrip("$"):
        case "array":
            return _ITEM.join(arguments)[:MAX_TEXT]
        case "join":
            return first.replace(_ITEM, arguments[1] if len(arguments) > 1 else " ")[:MAX_TEXT]
        case "environ":
            return f"%{first}%"
        case "strreverse":
            return first[::-1]
        case "lcase":
            return first.lower()
        case "ucase":
            return first.upper()
        case "trim" | "ltrim" | "rtrim" | "cstr":
            return first.strip()
        case "replace" if len(arguments) == 3 and arguments[1]:
            return first.replace(arguments[1], arguments[2])[:MAX_TEXT] if _bounded(first, arguments) else None
        case "left" | "right" | "mid":
            return _cut(name.rstrip("$"), first, [a for a in arguments[1:] if a.isdigit()])
    return None


def _bounded(text: str, arguments: list[str]) -> bool:
    return text.count(arguments[1]) * len(arguments[2]) <= MAX_TEXT * 4


def _cut(name: str, text: str, numbers: list[str]) -> str | None:
    if not numbers:
        return None
    first = int(numbers[0][:6])
    if name == "left":
        return text[:first]
    if name == "right":
        return text[-first:] if first else ""
    length = int(numbers[1][:6]) if len(numbers) > 1 else MAX_TEXT
    return text[max(first - 1, 0) :][:length]


def _character(tokens: list[tuple[str, str]], position: int) -> tuple[str | None, int]:
    if position + 3 >= len(tokens) or tokens[position + 2][0] != "number" or tokens[position + 3][1] != ")":
        return None, position + 1
    text = tokens[position + 2][1].rstrip("&")
    number = int(text[2:], 16) if text[:2].lower() == "&h" else int(text)
    return (chr(number) if 0 < number < 0xD800 else ""), position + 4


def _tokens(line: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(line):
        kind = match.lastgroup or "mark"
        value = match.group(kind)
        found.append((kind, value.replace('""', '"') if kind == "text" else value))
        if len(found) >= MAX_TOKENS:
            break
    return found


def _statements(tokens: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Split at the colons that part statements on one line."""
    start = 0
    for index, token in enumerate(tokens):
        if token == ("mark", ":"):
            yield tokens[start:index]
            start = index + 1
    yield tokens[start:]


def _assigned(tokens: list[tuple[str, str]]) -> str | None:
    """Return the variable that a line `[Let|Const|Set] name [As String] = ...` gives a value."""
    names = [value for kind, value in tokens[:6] if kind == "name"]
    if tokens[:1] == [] or tokens[0][0] != "name":
        return None
    words = [name for name in names if name.lower() not in ("let", "const", "public", "private", "global", "dim")]
    equals = next((i for i, token in enumerate(tokens[:7]) if token[1] == "="), None)
    if equals is None or not words or any(token[1] in "(.," for token in tokens[:equals]):
        return None
    return words[0].lower() if words[0].lower() not in ("if", "elseif", "for", "while", "until", "do") else None
