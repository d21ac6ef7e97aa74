"""The sensor's side of its process: choose the best backend that this kernel and these rights allow, and listen."""

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
from hinomi.watch.live.catching import Catcher
from hinomi.watch.live.connector import ProcessConnector
from hinomi.watch.live.events import Backend
from hinomi.watch.live.fanotify import FanotifyBackend
from hinomi.watch.live.inotify import InotifyBackend, PollingBackend
from hinomi.watch.live.processes import ProcessTable
from hinomi.watch.live.sensor import Sensor, SensorOptions, send
from hinomi.watch.live.syscalls import end_with

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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the sensor's parent asks for."""

    options: WatchOptions
    scopes: list[bytes]
    own: bytes  # folder of the case
    parent: int  # process whose descendants' changes are our own, and with which the sensor ends


def serve(channel: socket.socket, wanted: Wanted) -> None:
    """Say what is listened with, or why nothing is, then listen until the channel ends."""
    options = wanted.options
    _bound(wanted.parent)
    refused: list[str] = []
    try:
        backend = _backend(options, wanted.scopes, [wanted.own, PACKAGE], refused)
    except OSError as error:
        send(channel, f"{options.backend}: {error.strerror or error}")
        return
    connector = _connector(options, refused)
    reader = IdentityReader()
    gc.freeze()  # what is shared with the catcher stays shared
    catcher = Catcher(connector, reader.glance) if connector is not None else None
    table = ProcessTable(reader, loaders=loaders(), max_ended=options.ended_processes)
    table.follows = connector is not None
    pidfds = isinstance(backend, FanotifyBackend) and backend.pidfds
    send(channel, Hearing(backend.name, pidfds, connector is not None, tuple(refused)))
    bounds = SensorOptions(max_pending=options.max_pending, window=options.window, own=wanted.own)
    Sensor(channel, backend, table, catcher, bounds, own_root=wanted.parent).run(procfs.pids())


def _bound(parent: int) -> None:
    """End with the parent, have room for descriptors, and be on time."""
    end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a hang-up of the whole group means the judge
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
