"""The colon-separated account files of Unix: passwd, shadow, group. Lenient, line by line, never raising."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_LINES = 200_000


@dataclass(frozen=True, slots=True)
class PasswdLine:
    """One account of a passwd file; `password` is its second field as written."""

    line: int
    name: str
    password: str
    uid: int | None
    gid: int | None
    comment: str
    home: str
    shell: str


def colon_lines(text: str, fields: int) -> Iterator[tuple[int, list[str]]]:
    """Yield (1-based line, at least `fields` fields) of lines that are no comment and hold a colon."""
    for number, line in enumerate(text.split("\n")[:MAX_LINES], 1):
        line = line.rstrip("\r")
        if not line.strip() or line.lstrip().startswith("#") or ":" not in line:
            continue
        parts = line.split(":")
        yield number, parts + [""] * (fields - len(parts))


def number_of(text: str) -> int | None:
    """Return a non-negative number below 2^32, None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 32 else None


def parse_passwd(text: str) -> Iterator[PasswdLine]:
    """Yield the accounts of a passwd file in order; NIS lines (`+`, `-`) come with a name that begins so."""
    for number, parts in colon_lines(text, 7):
        name, password, uid, gid, comment, home, shell = parts[:7]
        if name or number_of(uid) is not None:
            yield PasswdLine(number, name, password, number_of(uid), number_of(gid), comment, home, shell)
