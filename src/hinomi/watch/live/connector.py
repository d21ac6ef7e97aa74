"""The process connector: the kernel tells of every fork, exec, change of user and exit over netlink (cn_proc.h)."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from typing import NamedTuple

NETLINK_CONNECTOR = 11
CN_IDX_PROC = 1
FORK, EXEC, UID, EXIT = 0x1, 0x2, 0x4, 0x80000000
BUFFER = 8 << 20  # bytes that the kernel may hold for us
MAX_PER_READ = 4096
_NLMSG_DONE = 3
_SO_RCVBUFFORCE = 33
_NL = struct.Struct("=IHHII")
_CN = struct.Struct("=IIIIHH")
_EVENT = struct.Struct("=IIQ")  # what, cpu, nanoseconds since boot
_FOUR = struct.Struct("=IIII")
_HEAD = _NL.size + _CN.size
_BODY = _HEAD + _EVENT.size


class ProcessEvent(NamedTuple):
    """One event of a process (never of a mere thread). `other` is the parent at a fork, the user at a UID event,
    the wait status at an exit; `caught` is what it was seen to run (program, arguments) right at an exec."""

    what: int
    pid: int
    other: int = 0
    caught: tuple[str, tuple[str, ...]] | None = None


class ProcessConnector:
    """Subscribes to process events; `OSError` where the kernel or our rights have none."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_CONNECTOR)
        try:
            self._widen()
            self._socket.bind((0, CN_IDX_PROC))
            self._socket.setblocking(False)
            self._subscribe(1)
        except BaseException:
            self._socket.close()
            raise

    def _widen(self) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER)
        except OSError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)

    def _subscribe(self, operation: int) -> None:
        body = _CN.pack(CN_IDX_PROC, 1, 0, 0, 4, 0) + struct.pack("=I", operation)
        self._socket.send(_NL.pack(_NL.size + len(body), _NLMSG_DONE, 0, 0, os.getpid()) + body)

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    def read(self, most: int = MAX_PER_READ) -> tuple[list[ProcessEvent], bool]:
        """Return (events, whether some were lost) without waiting; `most` events, and of a flood not all."""
        events: list[ProcessEvent] = []
        lost = False
        for _ in range(MAX_PER_READ):
            try:
                data, sender = self._socket.recvfrom(4096)
            except BlockingIOError:
                break
            except OSError:  # ENOBUFS: the kernel had to drop some
                lost = True
                continue
            event = parse_event(data) if sender[0] == 0 else None  # from the kernel and nobody else
            if event is not None:
                events.append(event)
                if len(events) >= most:
                    break
        return events, lost

    def release(self) -> None:
        """Close the socket here; another process goes on with it."""
        self._socket.close()

    def close(self) -> None:
        """Unsubscribe."""
        with suppress(OSError):
            self._subscribe(2)
        self._socket.close()


def parse_event(data: bytes) -> ProcessEvent | None:
    """Return what a message says; None for threads and for what is not asked for."""
    if len(data) < _BODY + 8:
        return None
    what = _EVENT.unpack_from(data, _HEAD)[0]
    if what not in (FORK, EXEC, UID, EXIT) or len(data) < _BODY + _FOUR.size:
        return None
    first, second, third, fourth = _FOUR.unpack_from(data, _BODY)
    if what == FORK:  # parent, its group, child, its group
        return ProcessEvent(FORK, fourth, second) if third == fourth else None
    if first != second and what != UID:  # a thread
        return None
    return ProcessEvent(what, second, third if what in (UID, EXIT) else 0)
