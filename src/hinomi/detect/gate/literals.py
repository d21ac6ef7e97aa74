"""Which bytes must stand in a file where a pattern matches. Case is not kept: letters stand for both."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.detect.gate.source import Pattern

SHORTEST = 4  # bytes; shorter ones are everywhere
LONGEST = 32
Literals = frozenset[bytes]

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_TEXT = re.compile(r'\\x([0-9a-fA-F]{2})|\\([ntr"\\])|([^\\])')
_ENCODED = frozenset({"xor", "base64", "base64wide"})
_HEX = re.compile(
    r"//[^\n]*|/\*.*?\*/|\[[^\]]*\]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|~?[0-9A-Fa-f?]{2}", re.DOTALL
)
_BYTE = re.compile(r"[0-9A-Fa-f]{2}")
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]")
_PIECE = re.compile(r"\\x([0-9a-fA-F]{2})|\\([^a-zA-Z0-9\s])|([^\\\[\](){}*+?|^$.\x80-\U0010ffff\x00-\x1f])")
_REPEATED = re.compile(r"[*?{]")
_PLUS = "+"


def literals_of(pattern: Pattern) -> Literals | None:
    """Return bytes of which at least one stands wherever the pattern matches; None where none are known."""
    if pattern.modifiers & _ENCODED:
        return None
    runs = {"text": _text_runs, "hex": _hex_runs, "regex": _regex_runs}[pattern.kind](pattern.value)
    best = max(runs, key=_telling, default=b"")
    if pattern.kind == "hex":
        return _long_enough([best])
    forms = [best] if "ascii" in pattern.modifiers or "wide" not in pattern.modifiers else []
    if "wide" in pattern.modifiers:
        forms.append(best.replace(b"", b"\0")[1:-1])
    return _long_enough(forms)


def _telling(run: bytes) -> tuple[int, int]:
    return len(set(run) - {0, 0xFF, 0x20}), len(run)


def _long_enough(forms: list[bytes]) -> Literals | None:
    """Return the forms, of long ones their most telling part; None where one of them is short or says nothing."""
    if any(len(form) < SHORTEST or len(set(form) - {0, 0xFF, 0x20}) < 2 for form in forms):
        return None
    return frozenset(_part(form) for form in forms)


def _part(form: bytes) -> bytes:
    starts = range(max(1, len(form) - LONGEST + 1))
    return max((form[at : at + LONGEST] for at in starts), key=_telling)


def _text_runs(value: str) -> Iterator[bytes]:
    """Yield the ASCII runs of a text; nothing where an escape is not known."""
    text, at = "", 0
    while at < len(value):
        match = _TEXT.match(value, at)
        if match is None:
            return
        at = match.end()
        text += chr(int(match[1], 16)) if match[1] else _ESCAPES[match[2]] if match[2] else match[3]
    yield from (run.encode() for run in re.split(r"[^\x00-\x7f]", text))


def _hex_runs(value: str) -> Iterator[bytes]:
    """Yield the runs of known bytes outside alternatives."""
    run, at = "", 0
    while at < len(value):
        match = _HEX.match(value, at)
        if match is None:
            if not value[at].isspace():
                return
            at += 1
            continue
        at = match.end()
        if _BYTE.fullmatch(match[0]):
            run += match[0]
        elif not match[0].startswith("/"):
            yield bytes.fromhex(run)
            run = ""
    yield bytes.fromhex(run)


def _regex_runs(value: str) -> list[bytes]:
    """Return the runs of plain characters outside groups; none for alternatives and for what is not understood."""
    runs, run, at = [], "", 0
    while at < len(value):
        match = _PIECE.match(value, at)
        if match is None:
            after = _behind(value, at)
            if after is None:
                return []
            runs.append(run)
            run, at = "", after
            continue
        at = match.end()
        run += chr(int(match[1], 16)) if match[1] else match[2] or match[3]
        if _REPEATED.match(value, at):  # the character may be missing
            runs.append(run[:-1])
            run = ""
        elif value.startswith(_PLUS, at):
            runs.append(run)
            run = ""
    return [part.encode() for run in (*runs, run) for part in re.split(r"[^\x00-\x7f]", run)]


def _behind(value: str, at: int) -> int | None:
    """Return where a class, a group, a quantifier, an escape or a mark ends; None for what makes all else uncertain."""
    if value[at] == "[":
        match = _CLASS.match(value, at)
        return match.end() if match else None
    if value[at] == "(":
        return _behind_group(value, at)
    if value[at] == "{":
        return value.find("}", at) + 1 or None
    if value[at] == "\\":
        return at + 2 if at + 1 < len(value) and value[at + 1] in "wWdDsSbBntrfav" else None
    return at + 1 if value[at] in "*+?.^$" else None


def _behind_group(value: str, at: int) -> int | None:
    """Return where a group ends. Flags in it (`(?i)`, `(?x)`) may change the meaning of what follows."""
    depth = 0
    while at < len(value):
        if value.startswith("(?", at) and not value.startswith("(?:", at):
            return None
        if value[at] == "[":
            match = _CLASS.match(value, at)
            if match is None:
                return None
            at = match.end()
            continue
        depth += (value[at] == "(") - (value[at] == ")")
        at += 2 if value[at] == "\\" else 1
        if depth == 0:
            return at
    return None
