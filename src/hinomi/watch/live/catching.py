"""A process of its own that hears of programs and looks at each at once: most live for less than a millisecond.

It does nothing else, so that nothing keeps it from looking: what it saw waits in it, bounded, until the sensor asks or
a moment has passed. Where more waits than it may hold it stops listening; the kernel then drops events and says so.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from hinomi.watch.live.connector import EXEC, MAX_PER_READ, ProcessEvent
from hinomi.watch.live.syscalls import end_with

Glance = Callable[[int], tuple[str, tuple[str, ...]] | None]
"""Return (program, arguments) of a living process in as few system calls as can be; None where it has ended."""
EAGER = -15  # its priority
LINGER = 0.02  # seconds that events wait for more where nobody asks
MESSAGE = 64  # events handed over at once
MAX_WAITING = 16 << 20  # bytes
PATIENCE = 60.0  # seconds for an answer, beyond which it counts as ended
_DONE = marshal.dumps(None)
_ASK = b"?"


class Source(Protocol):
    """What it listens to: the process connector."""

    def fileno(self) -> int:
        """Return the descriptor that becomes readable."""

    def read(self, most: int) -> tuple[list[ProcessEvent], bool]:
        """Return (at most so many events, whether some were lost) without waiting."""

    def release(self) -> None:
        """Close it in this process: another goes on with it."""


class Catcher:
    """The process as the sensor sees it; events are read from it as from the connector itself."""

    def __init__(self, connector: Source, glance: Glance) -> None:
        """Start it; it takes over the connector."""
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            self._channel.close()
            _serve(connector, theirs, glance, parent)
        theirs.close()
        connector.release()
        self._channel.settimeout(PATIENCE)

    def fileno(self) -> int:
        """Return the channel, which can be read from once something has been seen."""
        return self._channel.fileno()

    def read(self) -> tuple[list[ProcessEvent], bool]:
        """Return (everything that the kernel has told until now, whether some was lost); `EOFError` where it ended."""
        self._channel.send(_ASK)
        events: list[ProcessEvent] = []
        lost = False
        while True:
            try:
                data = self._channel.recv(1 << 20)
            except TimeoutError as error:  # somebody has stopped it
                raise EOFError from error
            if not data:
                raise EOFError
            message = marshal.loads(data)  # our own child's
            if message is None:
                return events, lost
            seen, missed = message
            events += [ProcessEvent(*event) for event in seen]
            lost |= missed

    def close(self) -> None:
        """End it."""
        self._channel.close()
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _serve(connector: Source, channel: socket.socket, glance: Glance, parent: int) -> None:
    """Run in the child; never returns."""
    try:
        _bound(parent)
        _Catching(connector, channel, glance).run()
    except (EOFError, ConnectionError):
        pass
    finally:
        os._exit(0)


def _bound(parent: int) -> None:
    end_with(parent)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, EAGER)


class _Catching:
    """Listens, looks, and hands over."""

    def __init__(self, connector: Source, channel: socket.socket, glance: Glance) -> None:
        self._connector = connector
        self._channel = channel
        self._glance = glance
        self._seen: list[tuple[object, ...]] = []
        self._since = 0.0  # monotonic time of the first of them
        self._lost = False
        self._outgoing: deque[bytes] = deque()
        self._waiting = 0  # bytes of it
        channel.setblocking(False)

    def run(self) -> None:
        poll = select.poll()
        while True:
            poll.register(self._connector.fileno(), select.POLLIN if self._waiting < MAX_WAITING else 0)
            poll.register(self._channel.fileno(), select.POLLIN | (select.POLLOUT if self._outgoing else 0))
            self._step(dict(poll.poll(self._patience())))

    def _patience(self) -> float | None:
        """Return the milliseconds until what was seen is handed over unasked."""
        if not (self._seen or self._lost):
            return None
        return max(0.0, self._since + LINGER - time.monotonic()) * 1000

    def _step(self, ready: dict[int, int]) -> None:
        if ready.get(self._connector.fileno()):
            self._catch()
        if ready.get(self._channel.fileno(), 0) & ~select.POLLOUT:
            if not self._channel.recv(64):
                raise EOFError
            if self._waiting < MAX_WAITING:
                self._catch()
            self._hand_over()
            self._outgoing.append(_DONE)
        elif self._patience() == 0.0:
            self._hand_over()
        self._send()

    def _catch(self) -> None:
        """Take what the kernel has told, looking at each program before the next event is even read."""
        if not self._seen:
            self._since = time.monotonic()
        for _ in range(MAX_PER_READ):
            events, lost = self._connector.read(1)
            self._lost |= lost
            if not events:
                break
            what, pid, other, _ = events[0]
            self._seen.append((what, pid, other, self._glance(pid) if what == EXEC else None))
            if len(self._seen) >= MESSAGE:
                self._hand_over()
                self._send()

    def _hand_over(self) -> None:
        if not (self._seen or self._lost):
            return
        data = marshal.dumps((self._seen, self._lost))
        self._seen, self._lost = [], False
        self._outgoing.append(data)
        self._waiting += len(data)

    def _send(self) -> None:
        try:
            while self._outgoing:
                self._channel.send(self._outgoing[0])
                self._waiting -= len(self._outgoing.popleft())
        except BlockingIOError:
            pass
        if not self._outgoing:
            self._waiting = 0
