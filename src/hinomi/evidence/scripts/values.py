"""What the interpreters know about a value: its text, whether it is constant, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAX_TEXT = 65_536  # longer constants are cut: a script may double a string in every line


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is asked. `kind`: process, exists, argument, time, constant or other.

    `holds` is the answer under which the guarded commands run: a process that runs, a path that exists.
    """

    kind: str
    object: str | None
    text: str
    holds: bool = True

    def negated(self) -> Condition:
        """Return the opposite answer to the same question."""
        return Condition(self.kind, self.object, self.text, not self.holds)

    @property
    def guard_kind(self) -> str:
        """Return the word the table uses."""
        if self.kind == "process":
            return "running" if self.holds else "not-running"
        if self.kind == "exists":
            return "exists" if self.holds else "missing"
        return self.kind if self.kind in ("argument", "time") else "other"


Conditions = tuple[Condition, ...]


def negated(conditions: Conditions) -> Conditions:
    """Negate each condition; and/or is not kept, because a guard only names what was asked."""
    return tuple(c.negated() for c in conditions)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value that is no constant comes from.

    `kind`: processes (a process list), process (the entries of one program), pid-file, file, download, decoded,
    unpacked, packed, query, time, argument, request (a web client's words), connection, status (an exit status:
    zero means `conditions` hold), flag (a constant that was assigned under `conditions`), accounts, exists (a listing
    that is empty when the path is missing), events (told as they come, without an end).
    `margin` is 1 where a process list also counts the search itself (`ps | grep x` without `grep -v grep`).
    """

    kind: str
    object: str | None = None
    tool: str = ""
    margin: int = 0
    conditions: Conditions = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A word: `text` shows unknown parts as written (`$NAME`, `$(...)`)."""

    text: str
    constant: bool = True
    source: Source | None = None

    @property
    def known(self) -> str | None:
        """Return the text where it is constant."""
        return self.text if self.constant else None

    def has(self, *kinds: str) -> bool:
        """Tell whether the value comes from one of these kinds of source."""
        return self.source is not None and self.source.kind in kinds


EMPTY = Value("")


def unknown(text: str, source: Source | None = None) -> Value:
    """Return a value that is not constant."""
    return Value(text[:MAX_TEXT], False, source)


# Where several sources meet in one text, the one that says most about it.
_RANK = {
    "request": 6,
    "connection": 6,
    "query": 5,
    "download": 5,
    "decoded": 5,
    "packed": 4,
    "unpacked": 4,
    "accounts": 3,
    "process": 3,
    "processes": 2,
}


def joined(parts: Iterable[Value], separator: str = "") -> Value:
    """Concatenate; constant when all parts are; the most telling source of its parts is kept."""
    items = list(parts)
    if len(items) == 1:
        return items[0]
    sources = [v.source for v in items if v.source is not None]
    source = max(sources, key=lambda s: _RANK.get(s.kind, 0)) if sources else None
    text = separator.join([v.text for v in items])
    return Value(text[:MAX_TEXT], all(v.constant for v in items), source)
