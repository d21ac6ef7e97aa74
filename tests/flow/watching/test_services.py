"""Real services that are made to start a shell, as an exploited one is: seen as it happens, and told with the service."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

RULE = "service-starts-shell"
SERVICE = """
import java.net.*;

class Orders {
    public static void main(String[] args) throws Exception {
        try (ServerSocket door = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            System.out.println(door.getLocalPort());
            while (true) {
                try (Socket guest = door.accept()) {
                    Process shell = new ProcessBuilder("sh", "-c", "sleep 3; true").start();
                    guest.getOutputStream().write((shell.pid() + "\\n").getBytes());
                    shell.waitFor();
                }
            }
        }
    }
}
"""


@pytest.fixture(autouse=True)
def nobody_is_logged_in() -> None:
    """A shell below a log-in is somebody's own, and the rule is quiet about it."""
    try:
        login = Path("/proc/self/loginuid").read_text()
    except OSError:
        return
    if login != str((1 << 32) - 1):
        pytest.skip("run below a log-in: what its services start counts as the user's own doing")


def test_a_database_runs_a_program_for_a_query(postgresql: Any, watching: Callable[..., Any]) -> None:
    import psycopg

    postgresql.database()
    watch = watching().ready()
    with psycopg.connect(host=str(postgresql.socket), user="hinomi", dbname="postgres", autocommit=True) as connection:
        connection.execute("COPY (SELECT 1) TO PROGRAM 'sleep 3; cat >/dev/null'")
        backend = connection.info.backend_pid
    found = watch.finding(RULE)
    assert found["attributes"]["process_tree"], found
    assert str(backend) in found["related"]
    assert found["severity"] in ("medium", "high", "critical")


@pytest.fixture
def java(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A Java service on a port of loopback."""
    program = shutil.which("java")
    if program is None or shutil.which("javac") is None:
        pytest.skip("Java is not installed: apt-get install default-jdk-headless")
    source = tmp_path / "Orders.java"
    source.write_text(SERVICE)
    service = subprocess.Popen(
        [program, "-Xmx64m", str(source)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert service.stdout is not None
    try:
        yield service, int(service.stdout.readline())
    finally:
        service.kill()
        service.communicate()


def test_a_java_service_starts_a_shell(java: tuple[subprocess.Popen[str], int], watching: Callable[..., Any]) -> None:
    service, port = java
    watch = watching().ready()
    with socket.create_connection(("127.0.0.1", port)) as guest:
        shell = int(guest.makefile().readline())
    found = watch.finding(RULE, str(shell))
    assert found["subject"] == {"type": "process", "key": str(shell)} | found["subject"]
    assert str(service.pid) in found["related"]
    tree = [node["pid"] for node in found["attributes"]["process_tree"]]
    assert {shell, service.pid} <= set(tree), tree
