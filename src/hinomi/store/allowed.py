"""The allow-list: values that are ours or harmless, and never become active indicators, with who said so and why."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from hinomi.model.claims import Claim
from hinomi.model.clock import Clock
from hinomi.store.schema import ALLOWED
from hinomi.store.state import sole_writer

_CASED = frozenset({"account", "url", "mutex", "pipe", "wallet", "user-agent", "ssdeep"})


@dataclass(frozen=True, slots=True)
class Allowance:
    """One entry of the allow-list."""

    type: str
    value: str
    why: str
    who: str
    at: str

    def to_json(self) -> dict[str, Any]:
        """Return the entry as an object."""
        return {"type": self.type, "value": self.value, "why": self.why, "who": self.who, "at": self.at}


def plain(kind: str, value: str) -> str:
    """Return the form in which values are compared: most types know no upper and lower case."""
    form = unicodedata.normalize("NFKC", value).strip()
    if kind == "url":
        scheme, mark, rest = form.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme.lower()}{mark}{host.lower()}{slash}{path}".rstrip("/") if mark else form.rstrip("/")
    if kind in ("domain", "email"):
        form = form.rstrip(".")
    return form if kind in _CASED else form.casefold()


class AllowList:
    """The allow-list in the state database."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, kind: str, value: str, *, who: str, why: str) -> Allowance:
        """Allow a value; a second time replaces who and why."""
        entry = Allowance(kind, plain(kind, value), why, who, self._clock().isoformat())
        with sole_writer(self._engine, ALLOWED) as connection:
            connection.execute(self._delete(entry.type, entry.value))
            connection.execute(insert(ALLOWED).values(**entry.to_json()))
        return entry

    def remove(self, kind: str, value: str) -> bool:
        """Take a value off the list; False where it is not on it."""
        with self._engine.begin() as connection:
            return connection.execute(self._delete(kind, plain(kind, value))).rowcount > 0

    def entries(self) -> list[Allowance]:
        """Return every entry, by type and value."""
        with self._engine.connect() as connection:
            found = [Allowance(r.type, r.value, r.why, r.who, r.at) for r in connection.execute(select(ALLOWED))]
        return sorted(found, key=lambda entry: (entry.type, entry.value))  # databases differ in how they sort words

    def applied(self, claims: Iterable[Claim]) -> tuple[Claim, ...]:
        """Return the claims with the allowed ones made harmless: role `benign`, and who allowed them and why."""
        known = {(entry.type, entry.value): entry for entry in self.entries()}
        if not known:
            return tuple(claims)
        return tuple(_marked(claim, known.get((claim.type, plain(claim.type, claim.value)))) for claim in claims)

    def _delete(self, kind: str, value: str) -> Any:
        return delete(ALLOWED).where(ALLOWED.c.type == kind, ALLOWED.c.value == value)


def _marked(claim: Claim, entry: Allowance | None) -> Claim:
    if entry is None:
        return claim
    why = f"allowed by {entry.who}" + (f": {entry.why}" if entry.why else "")
    return replace(claim, role="benign", why=why, attributes=claim.attributes | {"allowed": entry.to_json()})
