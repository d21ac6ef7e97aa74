"""The sensor as its parent sees it: a small process of its own program, and the channel between."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import suppress

from hinomi.flow.watching.hearing import Hearing, Wanted
from hinomi.flow.watching.options import WatchOptions
from hinomi.flow.watching.programs import environment, program
from hinomi.model.errors import PermissionDeniedError
from hinomi.watch.live.sensor import Batch, receive, send


class SensorProcess:
    """The sensor as its parent sees it."""

    def __init__(self, options: WatchOptions, scopes: list[bytes], own: bytes) -> None:
        """Start it and wait until it listens; `PermissionDeniedError` where a backend was asked for by name in vain."""
        self.channel, theirs = socket.socketpair()
        with theirs:
            words = program("sensing", str(theirs.fileno()))
            self._process = subprocess.Popen(words, pass_fds=[theirs.fileno()], env=environment())
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
