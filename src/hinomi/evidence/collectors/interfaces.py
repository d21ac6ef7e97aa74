"""The network interfaces of this live host, in every network namespace, and who listens on them to all packets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hinomi.evidence.process import procfs
from hinomi.evidence.process.holders import Holders, holders
from hinomi.evidence.process.links import Link, links_of
from hinomi.evidence.process.netstat import MAX_TABLE, parse_packet_interfaces
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.processes import Interface
from hinomi.model.text import path_text

Ask = Callable[[bytes | None], list[Link]]


class InterfacesCollector:
    """One row per interface. A sniffer makes an interface take packets that are meant for others."""

    name = "interfaces"
    tables: tuple[type[Row], ...] = (Interface,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows by namespace and number; nothing on a target that is not live."""
        if target.kind == "live":
            yield from interfaces(coverage)


def interfaces(coverage: Coverage, proc: bytes = procfs.PROC, ask: Ask = links_of) -> Iterator[Interface]:
    """Yield the interfaces of every namespace that a process of `proc` lives in; one that refuses is a miss."""
    found = holders(proc)
    for namespace, pid in sorted(found.namespaces.items()):
        name = path_text(namespace)
        try:
            links = ask(proc + b"/%d/ns/net" % pid)
        except OSError as error:
            refused = isinstance(error, PermissionError)
            gone = isinstance(error, FileNotFoundError | ProcessLookupError)
            reason = "permission" if refused else "vanished" if gone else "unreadable"
            coverage.miss("interfaces", name, reason, error.strerror or "", transient=gone)
            continue
        coverage.count("interfaces", len(links))
        yield from _rows(name, links, _listeners(proc, pid, found))


def _rows(namespace: str, links: list[Link], listeners: dict[int, list[str]]) -> Iterator[Interface]:
    by_number = {link.number: link for link in links}
    for link in links:
        master = by_number.get(link.master)
        yield Interface(
            name=link.name, index=link.number, namespace=namespace, kind=link.kind, address=link.address, up=link.up,
            promiscuous=link.promiscuity > 0, promiscuity=link.promiscuity,
            # a master of another namespace has no row here, but is one all the same
            master=master.name if master else (str(link.master) if link.master else None),
            master_kind=master.kind if master else None,
            listeners=sorted({*listeners.get(link.number, []), *listeners.get(0, [])}, key=int),
        )  # fmt: skip


def _listeners(proc: bytes, pid: int, found: Holders) -> dict[int, list[str]]:
    """Return the processes that hold a packet socket, by the interface's number (0 for all of them)."""
    try:
        data = procfs.read(proc + b"/%d/net/packet" % pid, MAX_TABLE)
    except OSError:
        return {}
    listening: dict[int, list[str]] = {}
    for index, inode in parse_packet_interfaces(data):
        listening.setdefault(index, []).extend(str(holder) for holder, _ in found.by_inode.get(inode, []))
    return listening


COLLECTOR = InterfacesCollector()
