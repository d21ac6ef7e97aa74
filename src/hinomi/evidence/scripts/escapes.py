"""Escapes of C strings, as `echo -e`, `printf` and `$'...'` know them."""

from __future__ import annotations

_SIMPLE = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "E": "\x1b",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_HEX = frozenset("0123456789abcdefABCDEF")
_OCTAL = frozenset("01234567")


def c_escapes(text: str) -> str:
    r"""Resolve `\n`, `\x41`, `\101`, `\u0041`; unknown escapes stay."""
    if "\\" not in text:
        return text
    out: list[str] = []
    index = 0
    while index < len(text):
        if text[index] != "\\" or index + 1 == len(text):
            out.append(text[index])
            index += 1
            continue
        made, index = _one(text, index + 1)
        out.append(made)
    return "".join(out)


def _one(text: str, index: int) -> tuple[str, int]:
    mark = text[index]
    if mark in "xuU":
        end = _run(text, index + 1, _HEX, {"x": 2, "u": 4, "U": 8}[mark])
        code = int(text[index + 1 : end], 16) if end > index + 1 else -1
        return (character(code), end) if 0 <= code < 0x110000 else ("\\" + mark, index + 1)
    if mark in _OCTAL:
        end = _run(text, index, _OCTAL, 4 if mark == "0" else 3)
        return chr(int(text[index:end], 8) & 0xFF), end
    return _SIMPLE.get(mark, "\\" + mark), index + 1


def character(code: int) -> str:
    """Return a character by its number below 0x110000; half of a surrogate pair is none and becomes U+FFFD."""
    return chr(code) if not 0xD800 <= code < 0xE000 else "\ufffd"


def _run(text: str, start: int, allowed: frozenset[str], most: int) -> int:
    end = start
    while end < len(text) and end - start < most and text[end] in allowed:
        end += 1
    return end
