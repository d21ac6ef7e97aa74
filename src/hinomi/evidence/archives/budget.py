"""How much one outer file may cost: bytes unpacked, members, depth, seconds. A limit reached ends only the rest."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from hinomi.evidence.target import Limits
from hinomi.model.errors import ParseError


class BudgetError(ParseError):
    """A limit of the outer file was reached; what was found so far stands."""

    def __init__(self, limit: str) -> None:
        super().__init__("archive.budget", cause=limit)
        self.limit = limit


class Budget:
    """Counts what one outer file has cost. `clock` gives seconds and only ever grows."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.bytes_left = limits.max_archive_bytes
        self.entries_left = limits.max_archive_entries
        self._clock = clock
        self._ends = clock() + limits.max_archive_seconds
        self._ticks = 0
        self._lent = (self.bytes_left, self.entries_left)

    def share(self) -> Budget:
        """Return three quarters of what is left, for one member: a bomb inside leaves something for its neighbours."""
        part = Budget(self.limits, self._clock)
        part.bytes_left = self.bytes_left * 3 // 4
        part.entries_left = self.entries_left * 3 // 4
        now = self._clock()
        part._ends = now + (self._ends - now) * 3 / 4
        part._lent = part.bytes_left, part.entries_left
        return part

    def settle(self, part: Budget) -> None:
        """Take back what a share did not use."""
        self.bytes_left -= part._lent[0] - part.bytes_left
        self.entries_left -= part._lent[1] - part.entries_left

    def spend(self, size: int) -> None:
        """Count `size` unpacked bytes; raise `BudgetError` past the limit."""
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise BudgetError("bytes")
        self.check_time()

    def member(self) -> None:
        """Count one member; raise `BudgetError` past the limit. The clock is read every 64 members."""
        self.entries_left -= 1
        if self.entries_left < 0:
            raise BudgetError("entries")
        self._ticks += 1
        if self._ticks & 63 == 0:
            self.check_time()

    def members(self, number: int, unpacked: int) -> None:
        """Count members that were settled together, and the bytes unpacked for them."""
        self.entries_left -= number
        self.spend(unpacked)

    def check_time(self) -> None:
        """Raise `BudgetError` when the file's time is up."""
        if self._clock() > self._ends:
            raise BudgetError("seconds")


class Notes:
    """What could not be looked at in one outer file: one note per container and reason, with a count and an example."""

    MAX_NOTES = 200

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}
        self.skipped: Counter[str] = Counter()  # what is not looked for by design, by its coverage key
        self.total = 0

    def add(self, where: str, reason: str, example: str = "") -> None:
        """Record that something in container `where` was not looked at, and why."""
        self.total += 1
        key = (where, reason)
        if key not in self.examples and len(self.examples) >= self.MAX_NOTES:
            key = ("", reason)
        self.counts[key] += 1
        self.examples.setdefault(key, example)

    def listed(self) -> list[tuple[str, str, int, str]]:
        """Return (container, reason, count, example) for each."""
        return [(where, why, n, self.examples[where, why]) for (where, why), n in self.counts.items()]
