"""Events in folders that were gone before anybody asked for their path, kept until the folder's removal names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

MAX_ORPHANS = 20_000
PATIENCE = 2.0  # seconds: a folder's removal is queued right behind what happened in it
UNNAMED_PATIENCE = 60.0  # where the kernel does not tell which folder a removal is of


@dataclass(frozen=True, slots=True)
class Orphan:
    """One event. `child` is the handle of the entry where the kernel tells it (Linux 5.17), else empty."""

    name: bytes
    what: int
    pid: int
    alive: bool | None
    child: bytes


class Orphans:
    """Keeps events by their folder's handle, bounded."""

    def __init__(self, limit: int = MAX_ORPHANS, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._kept: dict[bytes, tuple[float, list[Orphan]]] = {}  # by folder, with the time of the first
        self._number = 0
        self.names_children = False  # whether removals were seen to say which folder they are of

    def __len__(self) -> int:
        return self._number

    def keep(self, folder: bytes, orphan: Orphan) -> bool:
        """Keep an event; False where there is no room."""
        if self._number >= self._limit:
            return False
        self._kept.setdefault(folder, (self._clock(), []))[1].append(orphan)
        self._number += 1
        return True

    def claim(self, folder: bytes, path: bytes) -> Iterator[tuple[bytes, Orphan]]:
        """Yield (path, event) of what happened in a folder whose path is told now, innermost folders first."""
        found: list[list[tuple[bytes, Orphan]]] = []
        waiting = [(folder, path)] if folder else []
        while waiting:
            folder, path = waiting.pop()
            orphans = self._kept.pop(folder, (0.0, []))[1]
            self._number -= len(orphans)
            inside = [(path if o.name in (b"", b".") else path + b"/" + o.name, o) for o in orphans]
            waiting += [(orphan.child, below) for below, orphan in inside if orphan.child]
            found.append(inside)
        for inside in reversed(found):
            yield from inside

    @property
    def patience(self) -> float:
        """How long an event waits for its folder's removal."""
        return PATIENCE if self.names_children else UNNAMED_PATIENCE

    def overdue(self) -> int:
        """Forget what nobody will name any more; return how many events that were."""
        if not self._kept:
            return 0
        before = self._clock() - self.patience
        late = [folder for folder, (since, _) in self._kept.items() if since < before]
        number = sum(len(self._kept.pop(folder)[1]) for folder in late)
        self._number -= number
        return number
