"""The sockets of this live host, per network namespace, joined to the processes that hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hinomi.evidence.process import procfs
from hinomi.evidence.process.holders import Holders, holders
from hinomi.evidence.process.netstat import MAX_TABLE, PROTOCOLS, parse_table
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.processes import Socket
from hinomi.model.text import path_text


class SocketsCollector:
    """One row per socket and process that holds it; sockets of no process have none."""

    name = "sockets"
    tables: tuple[type[Row], ...] = (Socket,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows by namespace, protocol and inode; nothing on a target that is not live."""
        if target.kind == "live":
            yield from sockets(coverage)


def sockets(coverage: Coverage, proc: bytes = procfs.PROC) -> Iterator[Socket]:
    """Yield the sockets that `proc` shows. Processes whose descriptors are refused are one miss with their count."""
    found = holders(proc)
    for namespace, pid in found.namespaces.items():
        for protocol in PROTOCOLS:
            for row in _table(proc, pid, protocol, found, coverage):
                yield replace(row, namespace=path_text(namespace))
    for kind, count in sorted(found.refused.items()):
        coverage.miss("sockets", kind, "permission", f"{count} processes")


def _table(proc: bytes, pid: int, protocol: str, held: Holders, coverage: Coverage) -> Iterator[Socket]:
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
        for holder, name in held.by_inode.get(line.inode, [(None, None)]) if line.inode else [(None, None)]:
            yield Socket(
                pid=holder, process=name, protocol=protocol, local_address=line.local, local_port=line.local_port,
                remote_address=line.remote, remote_port=line.remote_port, state=line.state, uid=line.uid,
                inode=line.inode,
            )  # fmt: skip


COLLECTOR = SocketsCollector()
