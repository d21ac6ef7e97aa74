"""The store's tests run twice: with the state in the case's own SQLite file, and on a PostgreSQL server of their own.

The server is started for the tests alone: as an unprivileged user, reachable through a socket in its own folder and
nowhere else, and stopped by its process id.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hinomi.model.clock import Clock, system_clock
from hinomi.store.case import Case, CasePlace

Open = Callable[..., Case]


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


@dataclass
class Opening:
    """Opens cases whose state is where the test's turn wants it: the same folder, the same state."""

    server: Server | None
    urls: dict[Path, str] = field(default_factory=dict)

    def __call__(self, folder: Path, clock: Clock = system_clock) -> Case:
        return Case.open(self.place(folder), clock)

    def place(self, folder: Path) -> CasePlace:
        return CasePlace(folder, self.state(folder))

    def state(self, folder: Path) -> str | None:
        if self.server is not None and folder not in self.urls:
            self.urls[folder] = self.server.database()
        return self.urls.get(folder)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
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


@pytest.fixture(params=["sqlite", "postgresql"])
def open_case(request: pytest.FixtureRequest) -> Opening:
    """How a test opens its case: `open_case(folder, clock)`."""
    return Opening(request.getfixturevalue("postgresql") if request.param == "postgresql" else None)
