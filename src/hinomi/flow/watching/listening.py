"""Start the sensor: choose the best backend that this kernel and these rights allow, in a process of its own."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hinomi.evidence.process import procfs
from hinomi.evidence.sources.mounts import leaves_out
from hinomi.flow.watching.identity import IdentityReader, loaders
from hinomi.flow.watching.options import WatchOptions
from hinomi.model.errors import PermissionDeniedError
from hinomi.watch.live.connector import ProcessConnector
from hinomi.watch.live.events import Backend
from hinomi.watch.live.fanotify import FanotifyBackend
from hinomi.watch.live.inotify import InotifyBackend, PollingBackend
from hinomi.watch.live.processes import ProcessTable
from hinomi.watch.live.sensor import Batch, Sensor, SensorOptions, receive, send

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_EAGER = -5
PACKAGE = os.fsencode(Path(__file__).resolve().parent.parent.parent)  # our own program and rules


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the sensor listens with, and why not with better."""

    backend: str
    pidfds: bool
    processes: bool
    refused: tuple[str, ...] = ()  # what could not be had, with its cause

    @property
    def tells_who(self) -> bool:
        """Whether a change comes with the process that made it."""
        return self.backend == "fanotify"


class SensorProcess:
    """The sensor as its parent sees it."""

    def __init__(self, options: WatchOptions, scopes: list[bytes], own: bytes) -> None:
        """Start it and wait until it listens; `PermissionDeniedError` where a backend was asked for by name in vain."""
        self.channel, theirs = socket.socketpair()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            self.channel.close()
            _serve(theirs, options, scopes, own, parent)
        theirs.close()
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
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _serve(channel: socket.socket, options: WatchOptions, scopes: list[bytes], own: bytes, parent: int) -> None:
    """Run in the child; never returns."""
    try:
        _bound(parent)
        gc.freeze()  # collections would copy every page of what is shared with the parent
        refused: list[str] = []
        try:
            backend = _backend(options, scopes, [own, PACKAGE], refused)
        except OSError as error:
            send(channel, f"{options.backend}: {error.strerror or error}")
            return
        connector = _connector(options, refused)
        table = ProcessTable(IdentityReader(), loaders=loaders(), max_ended=options.ended_processes)
        table.follows = connector is not None
        pidfds = isinstance(backend, FanotifyBackend) and backend.pidfds
        send(channel, Hearing(backend.name, pidfds, connector is not None, tuple(refused)))
        bounds = SensorOptions(max_pending=options.max_pending, window=options.window, own=own)
        Sensor(channel, backend, table, connector, bounds, own_root=parent).run(procfs.pids())
    except (EOFError, ConnectionError):
        pass
    finally:
        os._exit(0)


def _bound(parent: int) -> None:
    """End with the parent, have room for descriptors, and be on time."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536) if hard > 0 else 65_536, hard))
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _EAGER)


def _backend(options: WatchOptions, scopes: list[bytes], own: list[bytes], refused: list[str]) -> Backend:
    """Return the wanted backend, or with `auto` the best one that can be had."""
    makers: dict[str, Callable[[], Backend]] = {
        "fanotify": lambda: FanotifyBackend(scopes, leaves_out, own=own, unlimited=options.unlimited_queue),
        "inotify": lambda: InotifyBackend(scopes, leaves_out),
        "polling": lambda: PollingBackend(scopes),
    }
    if options.backend != "auto":
        return makers[options.backend]()
    for name in ("fanotify", "inotify"):
        try:
            return makers[name]()
        except OSError as error:
            refused.append(f"{name}: {error.strerror or error}")
    return makers["polling"]()


def _connector(options: WatchOptions, refused: list[str]) -> ProcessConnector | None:
    if not options.processes:
        return None
    try:
        return ProcessConnector()
    except OSError as error:
        refused.append(f"process connector: {error.strerror or error}")
        return None
