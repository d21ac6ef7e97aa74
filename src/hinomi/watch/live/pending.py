"""Changes that wait to be looked at: one entry a path, bounded, files that change without end looked at less often."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from hinomi.watch.live.events import URGENT, FileEvent
from hinomi.watch.live.processes import Identity

MAX_WRITERS = 4
GRAIN = 0.01  # seconds that are one moment
MAX_BUSY = 2048
BUSY_AFTER = 3  # looks within BUSY_SECONDS
BUSY_SECONDS = 60.0
MAX_DELAY = 60.0


@dataclass(slots=True)
class Change:
    """All that was reported of one path since it was looked at last. Times are seconds since 1970 UTC."""

    path: bytes
    what: int
    first: float
    last: float
    writers: tuple[Identity, ...] = ()  # the last one last
    not_before: float = 0.0  # monotonic
    events: int = 1

    def join(self, later: Change) -> None:
        """Take in what was reported of the same path later."""
        self.what |= later.what
        self.last = later.last
        self.events += later.events
        new = {writer.pid for writer in later.writers}
        self.writers = (*(w for w in self.writers if w.pid not in new), *later.writers)[-MAX_WRITERS:]


@dataclass(slots=True)
class _Busy:
    """A file that changes again and again: looks so far, and when the last one was (monotonic)."""

    looks: int
    last: float


class Pending:
    """Collects events by path: a hundred thousand may wait, so what is equal in many of them is one object.

    Events beyond `limit` paths are refused, and the caller records the loss.
    """

    def __init__(self, limit: int, *, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._limit = limit
        self._wall = wall
        self._monotonic = monotonic
        self._changes: dict[bytes, Change] = {}
        self._busy: OrderedDict[bytes, _Busy] = OrderedDict()
        self._now = 0.0
        self._sole: tuple[Identity, ...] = ()  # the writer of the last change that has one only
        self.oldest: float | None = None  # monotonic time of the first event that waits

    def __len__(self) -> int:
        return len(self._changes)

    def add(self, event: FileEvent, writer: Identity | None) -> bool:
        """Take an event; False where there is no room for another path."""
        change = self._changes.get(event.path)
        now = self._moment()
        if change is None:
            if len(self._changes) >= self._limit:
                return False
            change = Change(event.path, 0, now, now, events=0, not_before=self._delayed(event.path))
            self._changes[event.path] = change
            if self.oldest is None:
                self.oldest = self._monotonic()
        change.what |= event.what
        change.last = now
        change.events += 1
        if event.what & URGENT:
            change.not_before = 0.0
        if writer is not None and (not change.writers or change.writers[-1] is not writer):
            others = [w for w in change.writers if w.pid != writer.pid]
            change.writers = (*others[1 - MAX_WRITERS :], writer) if others else self._alone(writer)
        return True

    def _moment(self) -> float:
        """Return the time, the same within a hundredth of a second."""
        now = self._wall()
        if not 0.0 <= now - self._now < GRAIN:
            self._now = now
        return self._now

    def _alone(self, writer: Identity) -> tuple[Identity, ...]:
        if not self._sole or self._sole[0] is not writer:
            self._sole = (writer,)
        return self._sole

    def hurry(self, path: bytes) -> None:
        """Look at a path with the next batch: it is being run."""
        change = self._changes.get(path)
        if change is not None:
            change.not_before = 0.0

    def _delayed(self, path: bytes) -> float:
        busy = self._busy.get(path)
        if busy is None or busy.looks < BUSY_AFTER:
            return 0.0
        return busy.last + min(MAX_DELAY, 2.0 ** (busy.looks - BUSY_AFTER))

    def due(self) -> bool:
        """Whether anything may be looked at now."""
        now = self._monotonic()
        return any(change.not_before <= now for change in self._changes.values())

    def take(self, number: int) -> list[Change]:
        """Return and forget at most `number` changes that may be looked at now, in order of their first event."""
        now = self._monotonic()
        taken: list[Change] = []
        for change in self._changes.values():
            if len(taken) >= number:
                break
            if change.not_before <= now:
                taken.append(change)
        for change in taken:
            del self._changes[change.path]
            self._looked(change.path, now)
        if not self._changes:
            self._changes = {}  # with the room that many have left
        self.oldest = now if self._changes else None
        return taken

    def next_due(self) -> float | None:
        """Return the monotonic time at which the first change may be looked at; None where nothing waits."""
        return min((change.not_before for change in self._changes.values()), default=None)

    def _looked(self, path: bytes, now: float) -> None:
        busy = self._busy.pop(path, None)
        if busy is None or now - busy.last > BUSY_SECONDS:
            busy = _Busy(0, now)
        self._busy[path] = _Busy(busy.looks + 1, now)
        if len(self._busy) > MAX_BUSY:
            self._busy.popitem(last=False)
