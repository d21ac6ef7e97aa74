"""File systems that come and go: what is away is not removed, and is compared with what is known when it is back."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hinomi.flow.watching.judging import Judge
from hinomi.flow.watching.telling import Teller
from hinomi.model.findings import Coverage
from hinomi.store.gaps import GapStore
from hinomi.watch.live.mounts import is_below


class ComingsAndGoings:
    """Follows mounts. What was mounted is looked through step by step, beside what else changes: it may be large."""

    def __init__(self, gaps: GapStore, judge: Judge, teller: Teller, scopes: Sequence[bytes], host: str) -> None:
        self._gaps = gaps
        self._judge = judge
        self._teller = teller
        self._scopes = scopes
        self._host = host
        self._due: deque[str] = deque()
        self._look: Iterator[int] | None = None  # through the first that is due

    @property
    def under_way(self) -> bool:
        """Whether anything is left to look through."""
        return bool(self._due)

    def take(self, mounted: Sequence[str], unmounted: Sequence[str]) -> None:
        """Take mount points that came and went."""
        self._judge.refresh(packages=False)
        for point in filter(self._concerns, unmounted):
            self._judge.away.add(os.fsencode(point))
            self._teller.gap(self._gaps.open(self._host, "unmounted", point, _now(), None))
        for point in filter(self._concerns, mounted):
            self._judge.away.discard(os.fsencode(point))
            self._due.append(point)

    def _concerns(self, point: str) -> bool:
        return any(is_below(os.fsencode(point), scope) for scope in self._scopes)

    def step(self) -> None:
        """Do one step of what is due; one that fails (no space) begins the look anew."""
        if not self._due:
            return
        look, self._look = self._look or self._through(self._due[0]), None
        if next(look, None) is None:
            self._due.popleft()
        else:
            self._look = look

    def _through(self, point: str) -> Iterator[int]:
        since, number, place = _now(), 0, os.fsencode(point)
        for found in self._judge.reconciling(place, Coverage(), time.time()):
            number += found
            yield number
        if place in self._judge.away:  # gone again: the next mount closes the gap
            return
        for gap in self._gaps.listed(self._host, only_open=True):
            if gap.reason == "unmounted" and gap.place == point:
                self._teller.gap(self._gaps.close(gap, number, until=since))
        self._teller.note("watch.mounted", place=point, changes=number)


def _now() -> str:
    return datetime.now(UTC).isoformat()
