"""Who brings whom back: lives that are told and those that are not, and the rule that judges them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hinomi.detect.catalogue import Catalogue, load_rules
from hinomi.detect.detect import detect
from hinomi.detect.rowset import write_rows
from hinomi.flow.watching.history import LIVES, MAX_LIVING, StartHistory, program_of
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import File
from hinomi.model.tables.processes import Process
from hinomi.watch.live.processes import Identity

from .conftest import Watching

SHELL = "/usr/bin/dash"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_rules()


class Host:
    """Tells a history of programs that start each other."""

    def __init__(self) -> None:
        self.history = StartHistory()
        self.rows: dict[int, tuple[Process, Identity]] = {}
        self.told: list[Row] = []

    def start(self, pid: int, path: str, by: int, at: float, *, digest: str = "", past: tuple[int, ...] = ()) -> None:
        line = tuple((p, self.rows[p][0].exe if p in self.rows else SHELL) for p in (*past, by))
        identity = Identity(pid, line[0][0], exe=SHELL, ancestors=line, started=at + 0.01)  # type: ignore[arg-type]
        row = Process(
            pid=pid, ppid=1, name=os.path.basename(path)[:15], exe=SHELL, script=path, uid=0, euid=0, started=at
        )
        self.rows[pid] = row, identity
        file = _file(path, digest) if digest else None
        self.told += self.history.saw(identity, row, file)

    def end(self, pid: int, at: float) -> None:
        self.history.ended(pid, self.rows[pid][1].started, at)


def _file(path: str, digest: str) -> File:
    return File(
        path=path, kind="file", sha256=digest, size=1, mode=0o755, uid=0, gid=0, inode=1, links=1, mtime=0, ctime=0
    )  # fmt: skip


def _judged(catalogue: Catalogue, folder: Path, rows: list[Row]) -> set[tuple[str, str]]:
    found = detect(write_rows(folder, rows), catalogue, (), target="/", run="r", coverage=Coverage())
    return {(f.severity, f.subject_key) for f in found if f.rule_id == "processes-restart-each-other"}


def test_two_that_bring_each_other_back_are_told_and_judged(catalogue: Catalogue, tmp_path: Path) -> None:
    host = Host()
    host.start(10, "/srv/n/heron", 1, 100)
    host.start(11, "/srv/n/ibis", 10, 101)
    host.end(10, 110)
    host.start(12, "/srv/n/heron", 11, 110, past=(90, 91))  # by a shell in a fork
    assert host.told == []  # so far one watches the other
    host.end(11, 120)
    host.start(13, "/srv/n/ibis", 12, 120)
    assert _judged(catalogue, tmp_path, host.told) == {("critical", "12"), ("critical", "13")}


def test_a_new_name_with_every_life_hides_nothing(catalogue: Catalogue, tmp_path: Path) -> None:
    host = Host()
    host.start(10, "/srv/n/a1", 1, 100, digest="aa" * 32)
    host.start(11, "/srv/n/b1", 10, 101, digest="bb" * 32)
    host.end(10, 110)
    host.start(12, "/srv/n/a2", 11, 110, digest="aa" * 32)
    host.end(11, 120)
    host.start(13, "/srv/n/b2", 12, 120, digest="bb" * 32)
    assert _judged(catalogue, tmp_path, host.told) == {("critical", "12"), ("critical", "13")}


def test_what_calls_itself_or_is_only_watched_one_way_is_not_told() -> None:
    host = Host()
    host.start(10, "/srv/n/build", 1, 100)
    for number in range(3):  # a build that calls itself in every folder: it lives on while it does
        host.start(20 + number, "/srv/n/sub", 10, 101 + number)
        host.start(30 + number, "/srv/n/build", 20 + number, 101.5 + number)
        host.end(30 + number, 101.8 + number)
        host.end(20 + number, 101.9 + number)
    host.start(40, "/srv/n/watchdog", 1, 200)
    for number in range(3):
        host.start(50 + number, "/srv/n/worker", 40, 201 + number)
        host.end(50 + number, 201.5 + number)
    assert host.told == []


def test_one_process_that_becomes_another_program_is_one_life_of_each() -> None:
    host = Host()
    host.start(10, "/srv/n/heron", 1, 100)
    host.start(11, "/srv/n/ibis", 10, 101)
    host.end(10, 110)
    host.start(12, "/srv/n/starter", 11, 110)
    host.start(12, "/srv/n/heron", 11, 110)  # in the same process
    host.end(11, 120)
    host.start(13, "/srv/n/ibis", 12, 120)
    assert {(row.script, row.ended) for row in host.told if isinstance(row, Process) and row.script} == {
        ("/srv/n/heron", 110), ("/srv/n/heron", None), ("/srv/n/ibis", 120), ("/srv/n/ibis", None),
    }  # fmt: skip


def test_room_is_bounded() -> None:
    host = Host()
    for pid in range(MAX_LIVING + 50):
        host.start(pid + 2, f"/srv/n/{pid % 1500}", 1, pid)
    history: Any = host.history
    assert len(history._by_pid) == MAX_LIVING and len(history._lives) <= 1024
    assert max(map(len, history._lives.values())) <= LIVES


def test_a_program_is_its_script_or_itself_and_a_bare_shell_is_none() -> None:
    plain = Process(pid=1, ppid=0, name="x", exe="/srv/n/otter", uid=0, euid=0, started=0)
    shell = Process(pid=1, ppid=0, name="x", exe="/bin/bash", uid=0, euid=0, started=0)
    assert (program_of(plain), program_of(shell)) == ("/srv/n/otter", None)


TWIN = """#!/bin/sh
# inert; ends when it may and the other lives, and both end with the file `stop`
cd {folder} || exit 1
alive() {{ grep -q {folder} "/proc/$(cat {peer}.pid)/cmdline" 2>/dev/null; }}
lived=0
while [ ! -e stop ]; do
  if ! alive; then
    {folder}/{peer} & echo $! > {peer}.pid
  elif [ $lived -ge 2 ] && [ "$(cat turn)" = {me} ]; then
    echo {peer} > turn; exit 0
  fi
  sleep 1; lived=$((lived + 1))
done
"""


def test_a_pair_is_seen_live_without_a_kill(place: Path, tmp_path: Path, watching: Callable[..., Watching]) -> None:
    watch = watching().ready()
    for me, peer in (("heron", "ibis"), ("ibis", "heron")):
        (tmp_path / me).write_text(TWIN.format(folder=tmp_path, me=me, peer=peer))
        (tmp_path / me).chmod(0o755)
        (tmp_path / f"{me}.pid").write_text("none")
    (tmp_path / "turn").write_text("heron\n")
    pair = {str(tmp_path / "heron"), str(tmp_path / "ibis")}
    with subprocess.Popen([str(tmp_path / "heron")]) as first:
        (tmp_path / "heron.pid").write_text(str(first.pid))
        try:

            def seen() -> list[dict[str, Any]]:
                first.poll()
                found = [f for f in watch.lines("finding") if f["rule"]["id"] == "processes-restart-each-other"]
                return [f for f in found if pair <= set(f["related"]) and f["severity"] == "critical"]

            watch.until(seen, "the pair")  # others' tests run pairs too, and a watcher sees the whole machine's
        finally:
            (tmp_path / "stop").write_text("")
