"""What tests of several rooms share: a database server, and that no property fails because the machine is slow."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@dataclass
class Server:
    """A running PostgreSQL server; `database` makes a fresh one and gives its URL."""

    socket: Path
    made: int = 0

    def database(self) -> str:
        import psycopg

        self.made += 1
        name = f"case{self.made}"
        with psycopg.connect(host=str(self.socket), user="hinomi", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://hinomi@/{name}?host={self.socket}"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server for the tests alone: as an unprivileged user, reachable through a socket in its own folder and nowhere
    else, and stopped by its process id."""
    pytest.importorskip("psycopg", reason="the driver is not installed: pip install 'hinomi[postgresql]'")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    found = str(folders[-1] / "postgres") if folders else shutil.which("postgres")
    if found is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    home = Path(tempfile.mkdtemp(prefix="hinomi-pg-"))
    try:
        yield from _served(Path(found).parent, home)
    finally:
        shutil.rmtree(home)


def _served(programs: Path, home: Path) -> Iterator[Server]:
    unprivileged: dict[str, Any] = {"cwd": home, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(home, "nobody")
        unprivileged |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
    data = home / "data"
    made = [programs / "initdb", "-D", data, "-U", "hinomi", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    subprocess.run(made, check=True, **unprivileged)
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, "-k", home, "-c", "listen_addresses=", "-F", "-c", "shared_buffers=16MB"],
        start_new_session=True,
        **unprivileged,
    )
    try:
        _wait_until_ready(programs, home, server)
        yield Server(home)
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown: clients are cut off
        server.wait()


def _wait_until_ready(programs: Path, socket: Path, server: subprocess.Popen[bytes]) -> None:
    while subprocess.run([programs / "pg_isready", "-q", "-h", socket], check=False).returncode:
        assert server.poll() is None, "the server ended"
        time.sleep(0.05)
