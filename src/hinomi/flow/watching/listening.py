"""The sensor as its parent sees it: a small process of its own program, and the channel between."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import suppress

from hinomi.flow.watching.hearing import Hearing, Wanted
from hinomi.flow.watching.options import WatchOptions
from hinomi.model.errors import PermissionDeniedError
from hinomi.watch.live.sensor import Batch, receive, send


class SensorProcess:
    """The sensor as its parent sees it."""

    def __init__(self, options: WatchOptions, scopes: list[bytes], own: bytes) -> None:
        """Start it and wait until it listens; `PermissionDeniedError` where a backend was asked for by name in vain."""
        self.channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(_program(theirs.fileno()), pass_fds=[theirs.fileno()], env=_environment())
        self.pid = self._process.pid
        with suppress(ConnectionError):
            send(self.channel, Wanted(options, scopes, own, os.getpid()))
        first = self._next()
        if isinstance(first, str):
            raise PermissionDeniedError("watch.backend", place=options.backend, cause=first, next_step="--backend auto")
        assert isinstance(first, Hearing)
        self.hearing = first
        self._next()  # "ready": everything is marked

    def _next(self) -> object:
        try:
            return receive(self.channel)
        except (EOFError, ConnectionError):
            return "the sensor ended"

    def ask(self) -> None:
        """Ask for the next batch; it comes when there is something to say."""
        send(self.channel, "next")

    def take(self) -> Batch:
        """Return the batch; `EOFError` where the sensor has ended."""
        batch = receive(self.channel)
        assert isinstance(batch, Batch)
        return batch

    def end(self) -> None:
        """Stop listening."""
        self.channel.close()
        self._process.terminate()
        self._process.wait()


def _program(channel: int) -> list[str]:
    """Return how the sensor is started: afresh, so that it holds nothing of what judging needs."""
    return [sys.executable, "-P", "-m", "hinomi.flow.watching.sensing", str(channel)]


def _environment() -> dict[str, str]:
    """Return an environment in which the modules are found where ours were, and nowhere else."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if os.path.isabs(path))}
