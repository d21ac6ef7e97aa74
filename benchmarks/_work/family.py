"""Whose process is it? Every descendant of ours, as the kernel tells of every fork and exit."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

from hinomi.watch.live.connector import EXIT, FORK, ProcessConnector, ProcessEvent

SLACK = 1.0  # seconds: the kernel's clock of starts is coarse, and two listen


class Family:
    """All processes that stem from this one, also those that have ended.

    Numbers come round (`pid_max` is 32768 on many machines), so that each is ours only from its fork to its end.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Begin with ourselves; `follow` hears of the others."""
        self._clock = clock
        self._lives: dict[int, list[list[float]]] = {os.getpid(): [[clock(), float("inf")]]}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self) -> None:
        """Follow from here on; `OSError` where the kernel does not tell."""
        connector = ProcessConnector()
        self._thread = threading.Thread(target=self._listen, args=(connector,), daemon=True)
        self._thread.start()

    def _listen(self, connector: ProcessConnector) -> None:
        while not self._ended.is_set():
            select.select([connector.fileno()], [], [], 0.5)
            for event in connector.read()[0]:
                self.take(event)
        connector.close()

    def take(self, event: ProcessEvent) -> None:
        """Hear of one event."""
        if event.what == FORK:
            self._end(event.pid)  # its end was not heard of
            if self._lives_now(event.other):
                self._lives.setdefault(event.pid, []).append([self._clock(), float("inf")])
        elif event.what == EXIT:
            self._end(event.pid)

    def _lives_now(self, pid: int) -> bool:
        return pid in self._lives and self._lives[pid][-1][1] == float("inf")

    def _end(self, pid: int) -> None:
        if self._lives_now(pid):
            self._lives[pid][-1][1] = self._clock()

    def has(self, pid: int, at: float) -> bool:
        """Whether the process that wore that number at that time (seconds since 1970 UTC) is ours."""
        return any(since - SLACK <= at <= until + SLACK for since, until in self._lives.get(pid, ()))

    def stop(self) -> None:
        """Follow no longer."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
