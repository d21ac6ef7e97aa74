"""The socket tables under /proc/PID/net: tcp, udp, raw (also of IPv6) and packet."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from typing import NamedTuple

PROTOCOLS = ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet")
MAX_TABLE = 64 << 20
MAX_ROWS = 200_000
_STATES = {
    1: "established", 2: "syn-sent", 3: "syn-received", 4: "fin-wait-1", 5: "fin-wait-2", 6: "time-wait", 7: "close",
    8: "close-wait", 9: "last-ack", 10: "listen", 11: "closing", 12: "new-syn-received",
}  # fmt: skip


class Line(NamedTuple):
    """One row of a table; addresses as text, None for packet sockets."""

    local: str | None
    local_port: int | None
    remote: str | None
    remote_port: int | None
    state: str | None
    uid: int | None
    inode: int


def parse_table(protocol: str, data: bytes) -> Iterator[Line]:
    """Yield the rows of a table as the kernel prints it; the heading and lines it cannot have printed are skipped."""
    for line in data.split(b"\n")[1 : MAX_ROWS + 1]:
        parts = line.split()
        try:
            if protocol == "packet":
                if len(parts) >= 9:
                    yield Line(None, None, None, None, None, int(parts[7]), int(parts[8]))
            elif len(parts) >= 10:
                yield _internet(protocol, parts)
        except ValueError:
            continue


def parse_packet_interfaces(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the interface's number (0 for all) and the inode of each packet socket."""
    for line in data.split(b"\n")[1 : MAX_ROWS + 1]:
        parts = line.split()
        if len(parts) >= 9 and parts[4].isdigit() and parts[8].isdigit():
            yield int(parts[4]), int(parts[8])


def _internet(protocol: str, parts: list[bytes]) -> Line:
    local, local_port = _address(parts[1])
    remote, remote_port = _address(parts[2])
    code = int(parts[3], 16)
    # a datagram socket without a peer (7, close) waits for anyone
    state = "listen" if code == 7 and not protocol.startswith("tcp") else _STATES.get(code)
    return Line(local, local_port, remote, remote_port, state, int(parts[7]), int(parts[9]))


def _address(field: bytes) -> tuple[str, int]:
    """Read `0100007F:1F90`: 32-bit words in the host's byte order, then the port."""
    raw, _, port = field.partition(b":")
    words = bytes.fromhex(raw.decode("ascii"))
    if sys.byteorder == "little":
        words = b"".join(words[i : i + 4][::-1] for i in range(0, len(words), 4))
    if len(words) not in (4, 16):
        raise ValueError("no address")
    family = socket.AF_INET if len(words) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, words), int(port, 16)
