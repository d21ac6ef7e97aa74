"""Messages from the processes that examine images: whole or absent, even where a writer dies in the middle of one.

A socket of kind SEQPACKET keeps what one `write` wrote together. A message is one or more such records, all with the
writer's number; when another writer goes on, the parts of a message that was not finished are dropped.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
from collections.abc import Callable
from typing import Any

from hinomi.evidence.apart.pulse import Pulse

PART = 64 << 10
MAX_MESSAGE = 512 << 20
POLL_SECONDS = 0.5
_HEAD = struct.Struct("<IB")  # writer, whether more follows
Message = tuple[str, Any]


def channel() -> tuple[socket.socket, socket.socket]:
    """Return (where messages arrive, where they are sent); `OSError` where the system has no such sockets."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Sender:
    """Sends from whichever process has it."""

    def __init__(self, end: socket.socket, pulse: Pulse) -> None:
        self._fd = end.fileno()
        self._end = end
        self._pulse = pulse

    def send(self, kind: str, body: Any) -> None:
        """Send one message of what JSON can hold and bytes; waits while the other side is busy."""
        data = json.dumps([kind, body], separators=(",", ":"), default=_from_bytes).encode("ascii")
        writer = os.getpid()
        self._pulse.hold()
        for at in range(0, len(data), PART):
            more = at + PART < len(data)
            os.write(self._fd, _HEAD.pack(writer, more) + data[at : at + PART])
        self._pulse.beat()


class Receiver:
    """Receives; `idle` is called now and then while nothing comes."""

    def __init__(self, end: socket.socket, idle: Callable[[], None]) -> None:
        self._end = end
        self._idle = idle
        self._writer = 0
        self._parts: list[bytes] = []
        self._size = 0

    def receive(self) -> Message | None:
        """Return the next message, None when all senders are gone; `ValueError` for what is no message."""
        while True:
            while not select.select([self._end], [], [], POLL_SECONDS)[0]:
                self._idle()
            record = self._end.recv(_HEAD.size + PART)
            if not record:
                return None
            data = self._take(record)
            if data is not None:
                kind, body = json.loads(data, object_hook=_to_bytes)
                return str(kind), body

    def _take(self, record: bytes) -> bytes | None:
        writer, more = _HEAD.unpack_from(record)
        if writer != self._writer:
            self._parts, self._size, self._writer = [], 0, writer
        self._parts.append(record[_HEAD.size :])
        self._size += len(record)
        if self._size > MAX_MESSAGE:
            raise ValueError("a message without end")
        if more:
            return None
        data, self._parts, self._size = b"".join(self._parts), [], 0
        return data

    def close(self) -> None:
        """Give back the socket."""
        self._end.close()


def _from_bytes(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} in a message")
    return {"hex": value.hex()}


def _to_bytes(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["hex"]) if value.keys() == {"hex"} else value
