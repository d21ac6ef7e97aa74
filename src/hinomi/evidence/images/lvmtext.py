"""The text form of LVM2's metadata: names with numbers, strings, lists and tables. Format: lvm.conf(5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias, Union

from hinomi.model.errors import ParseError

Value: TypeAlias = Union[str, int, list[str | int], "Table"]
Table: TypeAlias = dict[str, Value]
MAX_DEPTH = 16
MAX_DIGITS = 20
_TOKEN = re.compile(r'#[^\n]*|"((?:[^"\\]|\\.)*)"|(-?\d+)(?![\w.])|([\w.+-]+)|([={}\[\]])')


def parse_text(text: str) -> Table:
    """Return the outermost table; `ParseError` where the text is nested too deeply or ends early."""
    return _table(_tokens(text), 0)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(text):
        string, number, name, mark = match.groups()
        if string is not None:
            yield "string", re.sub(r"\\(.)", r"\1", string)
        elif number is not None:
            yield "number", number[:MAX_DIGITS]
        elif name is not None:
            yield "name", name
        elif mark is not None:
            yield mark, mark


def _table(tokens: Iterator[tuple[str, str]], depth: int) -> Table:
    found: Table = {}
    if depth > MAX_DEPTH:
        raise ParseError("image.damaged", cause="LVM metadata nested too deeply")
    for kind, name in tokens:
        if kind == "}":
            return found
        mark, _ = next(tokens, ("", ""))
        if mark == "{":
            found[name] = _table(tokens, depth + 1)
        elif mark == "=":
            found[name] = _value(tokens)
        else:
            raise ParseError("image.damaged", cause="LVM metadata")
    if depth:
        raise ParseError("image.truncated", cause="LVM metadata")
    return found


def _value(tokens: Iterator[tuple[str, str]]) -> Value:
    kind, text = next(tokens, ("", ""))
    if kind != "[":
        return _single(kind, text)
    listed: list[str | int] = []
    for kind, text in tokens:
        if kind == "]":
            return listed
        listed.append(_single(kind, text))
    raise ParseError("image.truncated", cause="LVM metadata")


def _single(kind: str, text: str) -> str | int:
    if kind == "number":
        return int(text)
    if kind in ("string", "name"):
        return text
    raise ParseError("image.damaged", cause="LVM metadata")
