"""Expressions as words of the shell: what is constant stays text, what a command gives becomes `$(…)`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import NamedTuple

from hinomi.evidence.scripts.syntax import parse


class Piece(NamedTuple):
    """A part of a word: plain text, or an expansion (`${name}`, `$(command)`)."""

    text: str
    expands: bool = False


Word = tuple[Piece, ...]
Datum = Word | list[Word]  # a list is an array, a tuple of the language or a list of arguments

MAX_TEXT = 20_000
UNKNOWN: Word = (Piece("${unknown}", True),)
_NO_NAME = re.compile(r"\W+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def literal(text: str) -> Word:
    """Return constant text as a word."""
    return (Piece(text[:MAX_TEXT]),)


def variable(name: str) -> Word:
    """Return what a variable holds."""
    return (Piece(f"${{{name_of(name)}}}", True),)


def output(command: str) -> Word:
    """Return what a command prints."""
    return (Piece(f"$({command})", True),)


def name_of(text: str) -> str:
    """Return a name that the shell takes for a variable."""
    name = _NO_NAME.sub("_", text.lstrip("$@%&:")).strip("_")[:80] or "unknown"
    return f"_{name}" if name[0].isdigit() and not name.isdigit() else name


def constant(word: Word) -> str | None:
    """Return a word's text where all of it is constant."""
    return None if any(piece.expands for piece in word) else "".join(piece.text for piece in word)


def quoted(word: Word) -> str:
    """Return a word as the shell takes it for one word."""
    return "".join(f'"{piece.text}"' if piece.expands else _quoted(piece.text) for piece in word if piece.text) or "''"


def _quoted(text: str) -> str:
    if _CONTROL.search(text) is None:
        return shlex.quote(text)
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}" if match[0] != "\n" else "\\n", text) + "'"


def code(word: Word) -> str:
    """Return a word as the command line it holds; one whose command is not known is given to a shell."""
    text = "".join(piece.text for piece in word).replace("\n", "; ").strip()
    if (word and word[0].expands) or parse("bash", text).root_node.has_error:
        return f"sh -c {quoted(word)}"  # also what would break the lines after it
    return text or ":"


def one(datum: Datum) -> Word:
    """Return an array as one word."""
    return datum if isinstance(datum, tuple) else joined(datum, " ")


def many(datum: Datum) -> list[Word]:
    """Return a word as a list of itself."""
    return [datum] if isinstance(datum, tuple) else datum


def joined(words: Iterable[Word], separator: str = "") -> Word:
    """Concatenate."""
    pieces: list[Piece] = []
    for word in words:
        if pieces and separator:
            pieces.append(Piece(separator))
        pieces += [piece for piece in word if piece.text]
    return tuple(pieces[:500])


def command(words: Iterable[Word]) -> str:
    """Return the command line of a list of words."""
    return " ".join(map(quoted, words)) or ":"


def formatted(template: Word, values: list[Word], named: dict[str, Word]) -> Word:
    """Fill `%s` and `{}` of a template, in order or by number or name."""
    text = constant(template)
    if text is None:
        return joined([template, *values])
    found: list[Word] = []
    at, number = 0, 0
    for match in _FIELD.finditer(text):
        found.append(literal(text[at : match.start()]))
        at = match.end()
        key = match[1] or ""
        if key and not key.isdigit():
            found.append(named.get(key, UNKNOWN))
            continue
        index = int(key[:3]) if key else number
        found.append(values[index] if index < len(values) else UNKNOWN)
        number += 1
    return joined([*found, literal(text[at:])])


_FIELD = re.compile(r"%[-+ #0]?\d{0,3}(?:\.\d{1,3})?[sdirxuf]|\{(\w{0,40})(?:![rsa])?(?::[^{}]{0,20})?\}")
