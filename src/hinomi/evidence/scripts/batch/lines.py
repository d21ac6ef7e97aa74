"""Lines, commands and words of batch text. Source: the command shell's own help texts (`cmd /?`, `set /?`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

MAX_LINES = 50_000
MAX_EXPANDED = 8192  # characters of a line, as cmd.exe has it
_VARIABLE = re.compile(r"[%!]([^%!:=\s]{1,64})(?::~(-?\d+)(?:,(-?\d+))?|:([^%!=]{1,64})=([^%!]{0,64}))?[%!]")
_WORD = re.compile(r'(?:"[^"]*"?|[^\s",;=]|=)+|"[^"]*"?')


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number, line); one that ends with a caret goes on in the next."""
    begun, held = 0, ""
    for number, line in enumerate(text.splitlines()[:MAX_LINES], 1):
        begun = begun or number
        bare = line.rstrip("\r\n")
        if (len(bare) - len(bare.rstrip("^"))) % 2 and len(held) < MAX_EXPANDED:
            held += bare[:-1]
            continue
        yield begun, (held + bare)[:MAX_EXPANDED]
        begun, held = 0, ""
    if held:
        yield begun, held


def commands_of(line: str) -> list[tuple[str, str]]:
    """Split a line at &, |, && and ||: (what it stood behind, command), carets and brackets of blocks taken away."""
    found: list[tuple[str, str]] = []
    text, before, quoted, at = "", "", False, 0
    while at < len(line):
        letter = line[at]
        if letter == "^" and not quoted:
            at += 1
            text += line[at : at + 1]
        elif letter == '"':
            quoted = not quoted
            text += letter
        elif letter in "&|" and not quoted and not text.endswith((">", "<")):
            found.append((before, text))
            before = letter * (1 + (line[at + 1 : at + 2] == letter))
            at += len(before) - 1
            text = ""
        else:
            text += letter
        at += 1
    return [(how, bare) for how, part in [*found, (before, text)] if (bare := bare_of(part))]


def bare_of(part: str) -> str:
    """Return a command without the brackets of blocks and what keeps it from being shown."""
    bare = part.strip().lstrip("@( \t")
    return bare.rstrip(") \t") if bare.count(")") > bare.count("(") else bare


def expanded(text: str, known: Mapping[str, str], script: str) -> str:
    """Put in the variables that are known; others stay as written."""
    folder, _, name = script.rpartition("/")
    own = {"%~dp0": folder + "/", "%~f0": script, "%~dpnx0": script, "%~nx0": name, "%0": script}
    for shown, value in own.items():
        text = text.replace(shown, value)
    return _VARIABLE.sub(lambda found: _value(found, known), text)[:MAX_EXPANDED]


def _value(found: re.Match[str], known: Mapping[str, str]) -> str:
    value = known.get(found[1].lower())
    if value is None:
        return found[0]
    if found[2] is not None:
        start = int(found[2])
        rest = value[start:] if start < len(value) else ""
        return rest if found[3] is None else rest[: int(found[3])]
    return value.replace(found[4], found[5]) if found[4] else value


def words_of(text: str) -> list[str]:
    """Return the words of a command without their quotation marks."""
    return [word.replace('"', "") for word in _WORD.findall(text)]
