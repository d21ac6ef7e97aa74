"""A sniffer of our own, in a network namespace of its own; and namespaces that refuse."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.collectors.interfaces import COLLECTOR, interfaces
from hinomi.evidence.process.links import Link, messages, parse_link
from hinomi.evidence.process.netstat import parse_packet_interfaces
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage

needs_proc = pytest.mark.skipif(not Path("/proc/net/packet").exists(), reason="no packet sockets")
SNIFFER = """
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("lo", 0))
s.setsockopt(263, 1, struct.pack("IHH8s", socket.if_nametoindex("lo"), 1, 0, b""))
print("ready", flush=True)
sys.stdin.read()
"""


@needs_proc
def test_our_own_loopback() -> None:
    coverage = Coverage()
    here = os.readlink("/proc/self/ns/net")
    rows = [row for row in interfaces(coverage) if row.namespace == here]
    assert [(row.index, row.kind) for row in rows if row.name == "lo"] == [(1, None)]
    assert coverage.examined["interfaces"] >= len(rows)


@needs_proc
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")
def test_an_interface_that_listens_to_everything() -> None:
    command = ["unshare", "-n", sys.executable, "-c", SNIFFER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        if process.stdout.readline() != "ready\n":
            pytest.skip("no network namespace of our own here")
        namespace = os.readlink(f"/proc/{process.pid}/ns/net")
        rows = [row for row in interfaces(Coverage()) if row.namespace == namespace]
        process.stdin.close()
    (loopback,) = [row for row in rows if row.name == "lo"]
    assert loopback.promiscuous and loopback.promiscuity == 1 and loopback.master is None
    assert loopback.listeners == [str(process.pid)]
    assert os.readlink("/proc/self/ns/net") != namespace


def test_a_port_of_a_bridge_names_its_master_and_refusals_are_said(tmp_path: Path) -> None:
    for pid in (1, 2):
        base = tmp_path / str(pid)
        (base / "fd").mkdir(parents=True)
        (base / "ns").mkdir()
        (base / "stat").write_bytes(b"%d (p) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0" % pid)
        (base / "ns/net").symlink_to(f"net:[{pid}]")

    def ask(namespace: bytes | None) -> list[Link]:
        if namespace is not None and b"/2/" in namespace:
            raise PermissionError(1, "no")
        return [Link(4, "br0", "bridge", None, True, 1, 0), Link(5, "eth2", None, "02:00:00:00:00:01", True, 1, 4)]

    coverage = Coverage()
    rows = list(interfaces(coverage, os.fsencode(tmp_path), ask))
    assert [(r.name, r.kind, r.master, r.master_kind, r.promiscuous) for r in rows] == [
        ("br0", "bridge", None, None, True), ("eth2", None, "br0", "bridge", True),
    ]  # fmt: skip
    assert [(m.subject, m.reason) for m in coverage.misses] == [("net:[2]", "permission")]


def test_packet_sockets_say_their_interface() -> None:
    head = b"sk RefCnt Type Proto Iface R Rmem User Inode\n"
    assert list(parse_packet_interfaces(head + b"ffff 3 3 0003 2 1 0 0 558\nshort\n")) == [(2, 558)]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for _, body in messages(data):
        parse_link(body)
    parse_link(b"\0" * 16 + data)
    list(parse_packet_interfaces(b"head\n" + data))


def test_only_live_targets_have_interfaces() -> None:
    assert list(COLLECTOR.collect(memory_target({}), Coverage())) == []
