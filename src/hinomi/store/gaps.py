"""Gaps: when the watch may have missed something, why, and what was found when it looked again."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Engine, delete, func, insert, select, update

from hinomi.model.clock import Clock
from hinomi.store.schema import GAPS

_OPEN = GAPS.c.reconciled_at.is_(None)
MAX_CLOSED = 10_000  # closed gaps kept; older ones are in the journal's counts only


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap of one host. Times are ISO 8601 in UTC; `until` and `reconciled_at` are None as long as it is open."""

    id: str
    host: str
    reason: str  # queue-overflow, watcher-stopped, process-events-lost, disk-full, unmounted, ...
    place: str
    since: str
    until: str | None
    number: int
    recorded_at: str
    reconciled_at: str | None = None
    changes: int | None = None
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the contract's `hinomi.gap/1` object."""
        return {"schema": "hinomi.gap/1", **asdict(self), "open": self.reconciled_at is None}


class GapStore:
    """The gaps of a case."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def open(
        self, host: str, reason: str, place: str, since: str, until: str | None, *, number: int = 1, detail: str = ""
    ) -> Gap:
        """Record a gap. One of the same reason and place that still lasts is widened instead.

        None ends before it began, also where the clock was set back in between.
        """
        since = min(since, until) if until is not None else since
        with self._engine.begin() as connection:
            same = (GAPS.c.host == host, GAPS.c.reason == reason, GAPS.c.place == place, _OPEN)
            known = connection.execute(select(GAPS).where(*same).limit(1)).first()
            if known is not None:
                gap = Gap(**known._mapping)
                values = {"until": until, "number": gap.number + number, "since": min(gap.since, since)}
                connection.execute(update(GAPS).where(GAPS.c.id == gap.id).values(**values))
                return Gap(**(asdict(gap) | values))
            gap = Gap(
                secrets.token_hex(8),
                host,
                reason,
                place,
                since,
                until,
                number,
                self._clock().isoformat(),
                detail=detail,
            )
            connection.execute(insert(GAPS).values(**asdict(gap)))
        return gap

    def close(self, gap: Gap, changes: int, *, until: str | None = None) -> Gap:
        """Record that what a gap may hide has been looked at again, and how many changes that showed."""
        now = self._clock().isoformat()
        ended = until or gap.until or now
        values = {"reconciled_at": now, "changes": changes, "until": ended, "since": min(gap.since, ended)}
        with self._engine.begin() as connection:
            connection.execute(update(GAPS).where(GAPS.c.id == gap.id).values(**values))
            self._forget(connection)
        return Gap(**(asdict(gap) | values))

    def listed(self, host: str | None = None, *, only_open: bool = False, limit: int = 1000) -> list[Gap]:
        """Return the latest gaps of one host or of all, oldest first."""
        query = select(GAPS).order_by(GAPS.c.since.desc(), GAPS.c.id).limit(limit)
        if host is not None:
            query = query.where(GAPS.c.host == host)
        if only_open:
            query = query.where(_OPEN)
        with self._engine.connect() as connection:
            return [Gap(**row._mapping) for row in connection.execute(query)][::-1]

    def _forget(self, connection: Any) -> None:
        closed = GAPS.c.reconciled_at.is_not(None)
        number = connection.execute(select(func.count()).select_from(GAPS).where(closed)).scalar_one()
        if number > MAX_CLOSED:
            oldest = select(GAPS.c.id).where(closed).order_by(GAPS.c.since).limit(number - MAX_CLOSED)
            connection.execute(delete(GAPS).where(GAPS.c.id.in_(oldest.scalar_subquery())))
