"""The sensor: a small process that does nothing but listen, name who did it, and hold what waits to be judged.

It never reads a file's content and never waits for the judge, so that the kernel's queues stay short. Over a socket
pair the judge asks for the next batch; an end of the socket is the end of the sensor.
"""

from __future__ import annotations

import os
import pickle
import select
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from hinomi.watch.live.connector import ProcessEvent
from hinomi.watch.live.events import EXECUTED, Backend, FileEvent, Loss, Marked
from hinomi.watch.live.mounts import MOUNTINFO, Mount, is_below, read_mounts
from hinomi.watch.live.pending import Change, Pending
from hinomi.watch.live.processes import Identity, ProcessTable
from hinomi.watch.live.syscalls import give_back

_SIZE = struct.Struct("=Q")
TRIM_AFTER = 5_000  # changes and starts handed over, after which memory is given back once nothing waits
CLOCK_STEP = 2.0  # seconds by which the wall clock and the time since boot may drift apart between two looks


def since_boot() -> float:
    """Return the seconds since boot, those asleep included: nothing sets this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class SensorOptions:
    """Bounds. Times in seconds."""

    max_pending: int = 100_000  # paths
    batch_paths: int = 1_000
    batch_starts: int = 1_000
    window: float = 0.05  # events are gathered this long before they are handed over
    own: bytes = b""  # folder of the case: what we write there is not reported


@dataclass(frozen=True, slots=True)
class Lost:
    """A stretch of time in which something was not reported. Times are seconds since 1970 UTC."""

    reason: str
    place: str
    since: float
    until: float
    number: int = 1


@dataclass(slots=True)
class Batch:
    """What the sensor hands over at once."""

    changes: list[Change] = field(default_factory=list)
    starts: list[Identity] = field(default_factory=list)
    ends: list[tuple[int, float, float]] = field(default_factory=list)  # of starts told of before (`ProcessTable.ends`)
    lost: list[Lost] = field(default_factory=list)
    marks: list[Marked] | None = None  # where they have changed
    mounted: list[str] = field(default_factory=list)
    unmounted: list[str] = field(default_factory=list)
    clock_steps: list[float] = field(default_factory=list)  # seconds by which the wall clock jumped
    waiting: int = 0
    counters: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(
            self.changes or self.starts or self.lost or self.marks is not None or self.mounted or self.unmounted
            or self.clock_steps
        )  # fmt: skip


def send(channel: socket.socket, message: object) -> None:
    """Send one message whole."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    channel.sendall(_SIZE.pack(len(data)) + data)


def receive(channel: socket.socket) -> object:
    """Return the next message; `EOFError` where the other side has ended. Only our own processes hold the socket."""
    size = _SIZE.unpack(_exactly(channel, _SIZE.size))[0]
    return pickle.loads(_exactly(channel, size))


def _exactly(channel: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = channel.recv(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Connector(Protocol):
    """Where process events come from."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""

    def read(self) -> tuple[list[ProcessEvent], bool]:
        """Return (all there are until now, whether some were lost)."""


class Sensor:
    """Listens until its channel ends."""

    def __init__(
        self,
        channel: socket.socket,
        backend: Backend,
        processes: ProcessTable,
        connector: Connector | None,
        options: SensorOptions,
        *,
        own_root: int,
        mounts: Callable[[], list[Mount]] = read_mounts,
        wall: Callable[[], float] = time.time,
        boot: Callable[[], float] = since_boot,
    ) -> None:
        """`own_root` is the process whose descendants' changes are our own; `wall` is a clock that may be set."""
        self._channel = channel
        self._backend = backend
        self._processes = processes
        self._connector = connector
        self._options = options
        self._own_root = own_root
        self._mounts = mounts
        self._pending = Pending(options.max_pending, wall=wall, monotonic=time.monotonic)
        self._next = Batch()
        self._asked = False
        self._wall, self._boot = wall, boot
        self._quiet_since = wall()  # nothing was lost before this moment
        self._overflowing: dict[str, Lost] = {}
        self._counters = {"events": 0, "own-events": 0, "process-events": 0, "program-starts": 0}
        self._points: set[bytes] = set()
        self._offset = wall() - boot()
        self._first_start: float | None = None
        self._dropped = 0  # program starts for which there was no room
        self._handed = 0  # since memory was given back

    def run(self, pids: Iterable[int]) -> None:
        """Mark, learn the living processes, and listen."""
        self._points = {m.point for m in self._mounts()}
        self._next.marks = self._backend.mark()
        self._processes.begin(pids)
        with open(MOUNTINFO, "rb") as mountinfo, selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            if self._backend.fileno() >= 0:
                selector.register(self._backend.fileno(), selectors.EVENT_READ)
            if self._connector is not None:
                selector.register(self._connector.fileno(), selectors.EVENT_READ)
            poller = select.epoll()
            poller.register(mountinfo, select.EPOLLERR | select.EPOLLPRI)
            selector.register(poller, selectors.EVENT_READ)
            send(self._channel, "ready")
            try:
                self._listen(selector, poller)
            except (EOFError, ConnectionError):
                return
            finally:
                poller.close()

    def _listen(self, selector: selectors.BaseSelector, mounts: select.epoll) -> None:
        while True:
            for key, _ in selector.select(self._timeout()):
                if key.fileobj is self._channel:
                    receive(self._channel)
                    self._asked = True
                elif key.fileobj is mounts:
                    mounts.poll(0)
                    self._remount()
            self._watch_clock()
            self._drain()
            if self._asked and self._is_time():
                self._hand_over()

    def _timeout(self) -> float | None:
        """Return how long nothing needs to be done; without anything waiting, until something happens."""
        due = [wait for wait in (self._due_in(), self._backend.patience()) if wait is not None]
        return min(due, default=None)

    def _due_in(self) -> float | None:
        if not self._asked:
            return None
        since = [t for t in (self._pending.oldest, self._first_start) if t is not None]
        if self._next:
            return 0.0
        if not since:
            return None
        due = self._pending.next_due() if self._first_start is None else 0.0
        now = time.monotonic()
        return max(0.0, min(since) + self._options.window - now, (due or 0.0) - now)

    def _is_time(self) -> bool:
        if self._next or len(self._pending) >= self._options.batch_paths:
            return True
        since = [t for t in (self._pending.oldest, self._first_start) if t is not None]
        if not since or time.monotonic() < min(since) + self._options.window:
            return False
        return self._first_start is not None or self._pending.due()

    # --- in -------------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Read processes first, then files, then processes again: whoever made a change started before it."""
        self._follow()
        for _ in range(8):
            events, losses = self._backend.read()
            if not events and not losses:
                break
            self._follow()
            for event in events:
                self._take(event)
            for loss in losses:
                self._lose(loss)
        else:
            return
        self._quiet_since = self._wall()

    def _follow(self) -> None:
        if self._connector is None:
            return
        events, lost = self._connector.read()
        for event in events:
            self._processes.take(event)
        self._counters["process-events"] += len(events)
        if lost:
            self._lose(Loss("process-events-lost", b""))
            self._processes.compare(_living_pids())
        if self._processes.dropped_starts > self._dropped:
            self._lose(Loss("too-many-starts", b"", self._processes.dropped_starts - self._dropped))
            self._dropped = self._processes.dropped_starts
        if self._first_start is None and self._processes.has_starts:
            self._first_start = time.monotonic()

    def _take(self, event: FileEvent) -> None:
        self._counters["events"] += 1
        if event.what & EXECUTED:
            self._processes.ran(event.pid, os.fsdecode(event.path))
            self._pending.hurry(event.path)
            if event.what == EXECUTED:
                return
        writer = self._processes.who(event.pid, event.alive)
        if writer is not None and self._is_own(writer):
            self._counters["own-events"] += 1
            return
        if (writer is None or (not self._processes.follows and not writer.read)) and is_below(
            event.path, self._options.own or b"/\0"
        ):
            return  # nobody can say who, and our own writing must not be an event to write of
        if not self._pending.add(event, writer):
            self._lose(Loss("too-many-waiting", event.path))

    def _is_own(self, writer: Identity) -> bool:
        return writer.pid == self._own_root or any(pid == self._own_root for pid, _ in writer.ancestors)

    def _lose(self, loss: Loss) -> None:
        """Note a loss; losses of one kind within one batch are one stretch."""
        now = self._wall()
        place = "" if loss.reason in ("too-many-waiting", "vanished-folder") else os.fsdecode(loss.place)
        key = f"{loss.reason}\0{place}"
        known = self._overflowing.get(key)
        since = known.since if known is not None else self._quiet_since
        number = loss.number + (known.number if known is not None else 0)
        self._overflowing[key] = Lost(loss.reason, place, since, now, number)
        self._next.lost = list(self._overflowing.values())

    def _remount(self) -> None:
        before, self._points = self._points, {m.point for m in self._mounts()}
        self._next.mounted += [os.fsdecode(p) for p in sorted(self._points - before)]
        self._next.unmounted += [os.fsdecode(p) for p in sorted(before - self._points)]
        self._next.marks = self._backend.mark()

    def _watch_clock(self) -> None:
        """Follow a wall clock that was set: what was noted by it before is told by it as it is now."""
        offset = self._wall() - self._boot()
        step = offset - self._offset
        if abs(step) > CLOCK_STEP:
            self._next.clock_steps.append(step)
            self._quiet_since += step
            moved = {k: replace(x, since=x.since + step, until=x.until + step) for k, x in self._overflowing.items()}
            self._overflowing = moved
            self._next.lost = list(moved.values())
        self._offset = offset

    # --- out ------------------------------------------------------------------------------------------------------

    def _hand_over(self) -> None:
        batch, self._next = self._next, Batch()
        self._overflowing.clear()
        batch.changes = self._pending.take(self._options.batch_paths)
        batch.ends = self._processes.ends()
        batch.starts = self._processes.starts(self._options.batch_starts)
        self._first_start = time.monotonic() if self._processes.has_starts else None
        batch.waiting = len(self._pending)
        self._counters["program-starts"] += len(batch.starts)
        batch.counters = self._counters | {
            "processes": len(self._processes), "starts-unread": self._processes.unread,
            "starts-dropped": self._processes.dropped_starts,
        }  # fmt: skip
        self._asked = False
        send(self._channel, batch)
        self._handed += len(batch.changes) + len(batch.starts)
        if not batch.waiting and self._handed > TRIM_AFTER:
            self._handed = 0
            give_back()


def _living_pids() -> Sequence[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]
