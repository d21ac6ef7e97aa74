"""The hash-chained journal: what was done in a case, in order; a changed or removed entry breaks the chain."""

from __future__ import annotations

import getpass
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, insert, select

from hinomi.model.clock import Clock
from hinomi.store.schema import JOURNAL
from hinomi.store.state import sole_writer

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry. `body` is canonical JSON; `hash` covers everything before it and the previous hash."""

    sequence: int
    at: str
    actor: str
    event: str
    body: str
    previous: str
    hash: str


def digest_of(sequence: int, at: str, actor: str, event: str, body: str, previous: str) -> str:
    """Return the SHA-256 that seals an entry."""
    sealed = json.dumps([sequence, at, actor, event, body, previous], ensure_ascii=False)
    return hashlib.sha256(sealed.encode("utf-8", "surrogateescape")).hexdigest()


class Journal:
    """Append-only list of events in the state database."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def append(self, event: str, **body: Any) -> None:
        """Record an event with its facts."""
        text = json.dumps(body, ensure_ascii=True, sort_keys=True)
        at = self._clock().isoformat()
        actor = _actor()
        with sole_writer(self._engine, JOURNAL) as connection:
            last = connection.execute(select(JOURNAL).order_by(JOURNAL.c.sequence.desc()).limit(1)).first()
            sequence, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
            seal = digest_of(sequence, at, actor, event, text, previous)
            connection.execute(
                insert(JOURNAL).values(
                    sequence=sequence, at=at, actor=actor, event=event, body=text, previous=previous, hash=seal
                )
            )

    def entries(self) -> list[Entry]:
        """Return every entry in order."""
        with self._engine.connect() as connection:
            return [Entry(*row) for row in connection.execute(select(JOURNAL).order_by(JOURNAL.c.sequence))]

    def broken_at(self) -> int | None:
        """Return the sequence number of the first entry whose seal does not hold, or None."""
        previous = GENESIS
        for number, entry in enumerate(self.entries(), start=1):
            seal = digest_of(entry.sequence, entry.at, entry.actor, entry.event, entry.body, entry.previous)
            if entry.sequence != number or entry.previous != previous or entry.hash != seal:
                return number
            previous = entry.hash
        return None

    def __len__(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(JOURNAL)).scalar_one())


def _actor() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
