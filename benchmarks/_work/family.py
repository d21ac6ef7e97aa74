"""Whose process is it? Every descendant of ours, as the kernel tells of every fork."""

from __future__ import annotations

import os
import select
import threading

from hinomi.watch.live.connector import FORK, ProcessConnector


class Family:
    """All processes that stem from this one, also those that have ended."""

    def __init__(self) -> None:
        """Follow from here on; `OSError` where the kernel does not tell."""
        self._connector = ProcessConnector()
        self.members = {os.getpid()}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        while not self._ended.is_set():
            select.select([self._connector.fileno()], [], [], 0.5)
            events, _ = self._connector.read()
            self.members.update(e.pid for e in events if e.what == FORK and e.other in self.members)

    def stop(self) -> None:
        """Follow no longer."""
        self._ended.set()
        self._thread.join()
        self._connector.close()
