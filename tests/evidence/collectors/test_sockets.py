import os
import socket
from pathlib import Path

import pytest

from hinomi.evidence.collectors.sockets import COLLECTOR, sockets
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.processes import Socket

needs_proc = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no /proc/net")


def mine(protocol: str) -> list[Socket]:
    return [row for row in sockets(Coverage()) if row.protocol == protocol and row.pid == os.getpid()]


@needs_proc
def test_a_listener_and_its_connection_belong_to_us() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            ours = client.getsockname()[1]
            rows = mine("tcp")
    assert ("127.0.0.1", port, "0.0.0.0", 0, "listen") in [
        (r.local_address, r.local_port, r.remote_address, r.remote_port, r.state) for r in rows
    ]
    assert ("127.0.0.1", ours, "127.0.0.1", port, "established") in [
        (r.local_address, r.local_port, r.remote_address, r.remote_port, r.state) for r in rows
    ]
    assert all(r.process and r.inode for r in rows)


@needs_proc
def test_datagram_sockets() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        rows = mine("udp")
    assert ("127.0.0.1", port, "listen") in [(r.local_address, r.local_port, r.state) for r in rows]


def test_namespaces_are_read_once_and_refusals_counted(tmp_path: Path) -> None:
    table = (
        b"head\n 0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 33 0 555 "
        b"1\n 1: 0100007F:1F91 00000000:0000 0A 0:0 0:0 0 33 0 0 1\n"
    )
    for pid, namespace in ((1, "net:[1]"), (2, "net:[1]"), (3, "net:[2]")):
        base = tmp_path / str(pid)
        for folder in ("fd", "net", "ns"):
            (base / folder).mkdir(parents=True)
        (base / "stat").write_bytes(b"%d (p%d) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0" % (pid, pid))
        (base / "ns" / "net").symlink_to(namespace)
        (base / "net" / "tcp").write_bytes(table if pid != 3 else b"head\n")
    (tmp_path / "1" / "fd" / "3").symlink_to("socket:[555]")
    (tmp_path / "1" / "fd" / "4").symlink_to("socket:[555]")
    (tmp_path / "2" / "fd" / "9").symlink_to("socket:[555]")
    (tmp_path / "9").mkdir()  # has ended
    coverage = Coverage()
    rows = list(sockets(coverage, os.fsencode(tmp_path)))
    assert [(r.pid, r.process, r.inode, r.local_port) for r in rows] == [
        (1, "p1", 555, 8080), (2, "p2", 555, 8080), (None, None, 0, 8081),
    ]  # fmt: skip
    assert coverage.examined["sockets"] == 2
    assert coverage.complete


def test_only_live_targets_have_sockets() -> None:
    assert list(COLLECTOR.collect(memory_target({}), Coverage())) == []
