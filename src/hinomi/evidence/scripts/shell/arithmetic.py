"""Shell arithmetic on constants: a small precedence climber, no exponents beyond a bound."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_TOKEN = re.compile(r"\s*(?:(0[xX][0-9a-fA-F]{1,16}|\d{1,18})|([A-Za-z_]\w*)|(<=|>=|==|!=|&&|\|\||<<|>>|[-+*/%()<>!]))")
MAX_TOKENS = 200
Look = Callable[[str], str | None]
_RANK = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    "<": 4,
    ">": 4,
    "<=": 4,
    ">=": 4,
    "<<": 5,
    ">>": 5,
    "+": 6,
    "-": 6,
    "*": 7,
    "/": 7,
    "%": 7,
}
_DO: dict[str, Callable[[int, int], int]] = {
    "||": lambda a, b: int(bool(a or b)), "&&": lambda a, b: int(bool(a and b)),
    "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b), "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b), "<=": lambda a, b: int(a <= b), ">=": lambda a, b: int(a >= b),
    "<<": lambda a, b: a << min(b, 62) if b >= 0 else 0, ">>": lambda a, b: a >> min(b, 62) if b >= 0 else 0,
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1), "%": lambda a, b: a - b * int(a / b),
}  # fmt: skip


class _UnknownError(Exception):
    """A part of the expression is no constant."""


def evaluate(expression: str, look: Look) -> int | None:
    """Return the value of an arithmetic expression; None where it is not constant or not understood."""
    tokens = _tokens(expression)
    if not tokens:
        return None
    try:
        value, end = _climb(tokens, 0, 0, look, 0)
    except (_UnknownError, ZeroDivisionError, OverflowError, IndexError):
        return None
    return value if end == len(tokens) and abs(value) < 1 << 63 else None


def _tokens(expression: str) -> list[str]:
    tokens: list[str] = []
    text = expression.replace("$", "").replace("{", "").replace("}", "").strip()
    position = 0
    while position < len(text) and len(tokens) <= MAX_TOKENS:
        match = _TOKEN.match(text, position)
        if match is None:
            return []
        tokens.append(match.group().strip())
        position = match.end()
    return tokens if len(tokens) <= MAX_TOKENS else []


def _climb(tokens: list[str], at: int, lowest: int, look: Look, depth: int) -> tuple[int, int]:
    left, at = _atom(tokens, at, look, depth)
    while at < len(tokens) and _RANK.get(tokens[at], 0) > lowest:
        sign = tokens[at]
        right, at = _climb(tokens, at + 1, _RANK[sign], look, depth + 1)
        left = _DO[sign](left, right)
        if abs(left) >= 1 << 63:
            raise _UnknownError
    return left, at


def _atom(tokens: list[str], at: int, look: Look, depth: int) -> tuple[int, int]:
    token = tokens[at]
    if depth > 60:
        raise _UnknownError
    if token == "(":
        value, at = _climb(tokens, at + 1, 0, look, depth + 1)
        if tokens[at] != ")":
            raise _UnknownError
        return value, at + 1
    if token in ("-", "+", "!"):
        value, at = _atom(tokens, at + 1, look, depth + 1)
        return {"-": -value, "+": value, "!": int(not value)}[token], at
    if token[0].isdigit():
        return int(token, 16) if token[:2].lower() == "0x" else int(token), at + 1
    return _looked_up(look(token)), at + 1


def _looked_up(text: str | None) -> int:
    if text is None or not text.lstrip("-").isdigit() or len(text) > 18:
        raise _UnknownError
    return int(text)
