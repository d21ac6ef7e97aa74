"""The sockets of this live host, per network namespace, joined to the processes that hold them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hinomi.evidence.process import procfs
from hinomi.evidence.process.netstat import MAX_TABLE, PROTOCOLS, parse_table
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.processes import Socket
from hinomi.model.text import path_text

_SOCKET = re.compile(rb"socket:\[(\d{1,20})\]$")
MAX_DESCRIPTORS = 100_000  # per process


class SocketsCollector:
    """One row per socket and process that holds it; sockets of no process have none."""

    name = "sockets"
    tables: tuple[type[Row], ...] = (Socket,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows by namespace, protocol and inode; nothing on a target that is not live."""
        if target.kind == "live":
            yield from sockets(coverage)


@dataclass
class _Holders:
    """Who holds which socket, and one process of each network namespace."""

    by_inode: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    namespaces: dict[bytes, int] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


def sockets(coverage: Coverage, proc: bytes = procfs.PROC) -> Iterator[Socket]:
    """Yield the sockets that `proc` shows. Processes whose descriptors are refused are one miss with their count."""
    holders = _holders(proc)
    for namespace, pid in holders.namespaces.items():
        for protocol in PROTOCOLS:
            for row in _table(proc, pid, protocol, holders, coverage):
                yield replace(row, namespace=path_text(namespace))
    for kind, count in sorted(holders.refused.items()):
        coverage.miss("sockets", kind, "permission", f"{count} processes")


def _table(proc: bytes, pid: int, protocol: str, holders: _Holders, coverage: Coverage) -> Iterator[Socket]:
    path = proc + b"/%d/net/%s" % (pid, protocol.encode())
    try:
        data = procfs.read(path, MAX_TABLE)
    except FileNotFoundError:  # IPv6 switched off, or a kernel without packet sockets
        return
    except OSError as error:
        coverage.miss(
            "sockets",
            path_text(path),
            "unreadable",
            error.strerror or "",
            transient=isinstance(error, ProcessLookupError),
        )
        return
    if len(data) >= MAX_TABLE:
        coverage.miss("sockets", path_text(path), "too-large", f"only the first {MAX_TABLE} bytes were read")
    for line in parse_table(protocol, data):
        coverage.count("sockets")
        for holder, name in holders.by_inode.get(line.inode, [(None, None)]) if line.inode else [(None, None)]:
            yield Socket(
                pid=holder, process=name, protocol=protocol, local_address=line.local, local_port=line.local_port,
                remote_address=line.remote, remote_port=line.remote_port, state=line.state, uid=line.uid,
                inode=line.inode,
            )  # fmt: skip


def _holders(proc: bytes) -> _Holders:
    holders = _Holders()
    for pid in procfs.pids(proc):
        base = proc + b"/%d" % pid
        try:
            name = path_text(procfs.parse_stat(procfs.read(base + b"/stat", procfs.MAX_STATUS)).name)
            _namespace(base, pid, holders)
            for inode in _socket_inodes(base):
                holders.by_inode.setdefault(inode, []).append((pid, name))
        except PermissionError:
            holders.refused["descriptors"] += 1
        except (OSError, ValueError):
            continue  # ended meanwhile: its sockets have gone with it, or show without a process
    return holders


def _namespace(base: bytes, pid: int, holders: _Holders) -> None:
    try:
        holders.namespaces.setdefault(os.readlink(base + b"/ns/net"), pid)
    except PermissionError:
        holders.refused["namespace"] += 1
    if pid == os.getpid():
        holders.namespaces[os.readlink(base + b"/ns/net")] = pid


def _socket_inodes(base: bytes) -> Iterator[int]:
    seen: set[int] = set()
    for number, name in enumerate(os.listdir(base + b"/fd")):
        if number >= MAX_DESCRIPTORS:
            return
        try:
            match = _SOCKET.match(os.readlink(base + b"/fd/" + name))
        except FileNotFoundError:
            continue
        if match and int(match.group(1)) not in seen:
            seen.add(int(match.group(1)))
            yield int(match.group(1))


COLLECTOR = SocketsCollector()
