"""The sensor by itself: what it hands over, and what it makes of a wall clock that somebody sets."""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from hinomi.watch.live.events import CREATED, FileEvent, Loss, Marked
from hinomi.watch.live.processes import ProcessTable
from hinomi.watch.live.sensor import Batch, Sensor, SensorOptions, receive, send

NOON = 1_800_000_000.0


@dataclass
class Told:
    """A backend that tells what it is given (implements `Backend`)."""

    name: str = "told"
    pipe: tuple[int, int] = field(default_factory=os.pipe)
    waits: float | None = None
    overdue: deque[Loss] = field(default_factory=deque)
    waiting: list[tuple[list[FileEvent], list[Loss]]] = field(default_factory=list)

    def tell(self, *events: FileEvent, losses: tuple[Loss, ...] = ()) -> None:
        self.waiting.append((list(events), list(losses)))
        os.write(self.pipe[1], b"x")

    def fileno(self) -> int:
        return self.pipe[0]

    def read(self) -> tuple[list[FileEvent], list[Loss]]:
        if not self.waiting:
            return [], [self.overdue.popleft() for _ in range(len(self.overdue))]
        os.read(self.pipe[0], 1)
        return self.waiting.pop(0)

    def patience(self) -> float | None:
        return self.waits

    def mark(self) -> list[Marked]:
        return [Marked("/", "told", True)]

    def close(self) -> None:
        for descriptor in self.pipe:
            os.close(descriptor)


@dataclass
class Listening:
    """A sensor in a thread, its clocks, and our end of its channel."""

    backend: Told
    channel: socket.socket
    clock: tuple[float, float] = (NOON, 500.0)  # the wall's and that since boot
    seen: tuple[float, float] = (NOON, 500.0)

    def wall(self) -> float:
        """Both clocks are set at once, and read as they were at one moment."""
        self.seen = self.clock
        return self.seen[0]

    def next(self) -> Batch:
        send(self.channel, "next")
        batch = receive(self.channel)
        assert isinstance(batch, Batch)
        return batch


@contextmanager
def listening() -> Iterator[Listening]:
    ours, theirs = socket.socketpair()
    ours.settimeout(120)
    at = Listening(Told(), ours)
    table = ProcessTable(lambda pid: None)
    sensor = Sensor(
        theirs, at.backend, table, None, SensorOptions(window=0.0), own_root=1, mounts=list,
        wall=at.wall, boot=lambda: at.seen[1],
    )  # fmt: skip
    thread = threading.Thread(target=sensor.run, args=([],))
    thread.start()
    try:
        assert receive(ours) == "ready" and at.next().marks
        yield at
    finally:
        ours.close()
        thread.join()
        theirs.close()
        at.backend.close()


@pytest.mark.parametrize("step", [-7200.0, 86_400.0])
def test_a_clock_that_is_set_is_told_and_moves_what_was_noted_before(step: float) -> None:
    with listening() as at:
        at.clock = NOON + 10, 510.0
        at.backend.tell(FileEvent(b"/before", CREATED))
        (before,) = at.next().changes
        at.clock = NOON + 20 + step, 520.0
        at.backend.tell(FileEvent(b"/after", CREATED), losses=(Loss("queue-overflow", b"/"),))
        batch = at.next()
        while not batch.changes:  # the step may be told by itself
            later = at.next()
            later.clock_steps[:0], later.lost[:0] = batch.clock_steps, batch.lost
            batch = later
    (after,), (lost,) = batch.changes, batch.lost
    assert batch.clock_steps == [pytest.approx(step)]
    assert (before.first, after.first) == (NOON + 10, NOON + 20 + step)
    assert lost.since == pytest.approx(NOON + 10 + step) and lost.until == pytest.approx(NOON + 20 + step)


def test_a_machine_that_slept_has_had_no_clock_step() -> None:
    with listening() as at:
        at.clock = NOON + 36_000, 36_500.0
        at.backend.tell(FileEvent(b"/woken", CREATED))
        assert at.next().clock_steps == []


def test_what_a_backend_holds_back_is_asked_for_without_any_event() -> None:
    with listening() as at:
        at.backend.waits = 0.01
        at.backend.tell(FileEvent(b"/before", CREATED))
        assert at.next().changes
        at.backend.overdue.append(Loss("vanished-folder", b"", 3))
        (lost,) = at.next().lost
        assert (lost.reason, lost.number) == ("vanished-folder", 3)
