"""Inert processes of our own, read by the real collectors and judged by the real rules. Each ends with its test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from hinomi.detect.catalogue import Catalogue
from hinomi.detect.detect import detect
from hinomi.detect.rowset import write_rows
from hinomi.evidence.collectors import memory_regions, processes, scripts, sockets
from hinomi.evidence.process.reader import ProcessReader
from hinomi.evidence.sources.memory import memory_target
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage, Finding
from hinomi.model.tables import Row
from hinomi.model.tables.processes import Process

pytestmark = pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="no /proc")
SLEEP = shutil.which("sleep") or "/bin/sleep"
OF_PROCESSES = (processes, sockets, memory_regions)
Look = Callable[[int], dict[str, Finding]]


class Packages:
    """Vouches for /usr and /bin alone."""

    def manifest(self, path: bytes) -> tuple[str, bytes | None] | None:
        package = self.package_of(path)
        return None if package is None else (package, None)

    def package_of(self, path: bytes) -> str | None:
        return "base" if path.startswith((b"/usr/", b"/bin/")) else None

    def digest_kind(self, path: bytes) -> str | None:
        return None

    def state(self, path: bytes, digest: str | None) -> str | None:
        return "intact" if self.package_of(path) else "unowned"


TARGET: Target = replace(memory_target({"/etc/passwd": "root:x:0:0::/:/bin/sh\n"}), kind="live", ownership=Packages())


@pytest.fixture
def judge(catalogue: Catalogue, tmp_path: Path) -> Callable[[list[Row]], list[Finding]]:
    """Return a function that runs every SQL rule over rows."""

    def run(rows: list[Row]) -> list[Finding]:
        coverage = Coverage()
        folder = tmp_path / "evidence"
        folder.mkdir(exist_ok=True)
        found = detect(write_rows(folder, rows), catalogue, (), target="/", run="r", coverage=coverage)
        assert not [m for m in coverage.misses if m.area.startswith(("rule", "table"))]
        return found

    return run


@pytest.fixture
def look(judge: Callable[[list[Row]], list[Finding]]) -> Look:
    """Return a function that reads this host's processes and gives the findings about one of them by rule."""

    def run(pid: int) -> dict[str, Finding]:
        rows = [row for module in OF_PROCESSES for row in module.COLLECTOR.collect(TARGET, Coverage())]
        return {f.rule_id: f for f in judge(rows) if f.subject_key == str(pid)}

    return run


@contextmanager
def started(*command: str, **options: object) -> Iterator[int]:
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, **options) as process:
        try:
            while os.readlink(f"/proc/{process.pid}/exe") == os.path.realpath(sys.executable):
                assert process.poll() is None, "it ended"
                time.sleep(0.02)
            yield process.pid
        finally:
            process.kill()


@pytest.fixture
def copy(tmp_path: Path) -> str:
    path = tmp_path / "stoat"
    shutil.copy(SLEEP, path)
    return str(path)


def test_an_ordinary_process_is_nothing(look: Look) -> None:
    with started(SLEEP, "3600") as pid:
        assert look(pid) == {}


def test_the_path_of_a_system_daemon_on_another_program(look: Look, copy: str) -> None:
    with started("/usr/sbin/sshd", "3600", executable=copy) as pid:
        finding = look(pid)["process-poses-as-system"]
    assert finding.severity == "high" and copy in finding.related


def test_a_program_dressed_as_a_kernel_thread(look: Look, copy: str) -> None:
    with started("[kworker/3:1-events]", "3600", executable=copy) as pid:
        assert look(pid)["process-poses-as-system"].severity == "high"


def test_a_program_whose_file_is_gone(look: Look, copy: str) -> None:
    with started(copy, "3600") as pid:
        os.unlink(copy)
        assert look(pid)["running-program-without-file"].severity == "medium"  # it lay in a temporary folder


def test_a_program_in_anonymous_memory(look: Look) -> None:
    script = (
        "import os,sys\nfd=os.memfd_create('x')\nos.write(fd,open(sys.argv[1],'rb').read())\n"
        "os.execve(fd,['x','3600'],{})\n"
    )
    with started(sys.executable, "-c", script, SLEEP) as pid:
        assert look(pid)["running-program-without-file"].severity == "medium"


def test_a_debugger_that_is_not_at_its_own_child(look: Look, tmp_path: Path) -> None:
    if not shutil.which("strace"):
        pytest.skip("no strace")
    with (
        started(SLEEP, "3600") as pid,
        subprocess.Popen(["strace", "-o", tmp_path / "log", "-p", str(pid)], start_new_session=True) as tracer,
    ):
        while b"TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_bytes():
            if tracer.poll() is not None:
                pytest.skip("tracing is not allowed here")
            time.sleep(0.02)
        found = look(pid)
        tracer.kill()
        assert found["process-traced"].severity in ("info", "low")  # a plain program, a packaged debugger


RELAY = """
import os, pty, socket, sys
server = socket.create_server(("192.0.2.77", 0))
client = socket.create_connection(server.getsockname())
pid, master = pty.fork()
if pid == 0:
    os.execv("/bin/sh", ["sh"])
os.read(master, 1)
print(pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"), reason="needs root, ip")
def test_a_shell_on_a_terminal_that_a_connected_program_holds(look: Look) -> None:
    network = f"ip link set lo up && ip addr add 192.0.2.77/32 dev lo && exec {sys.executable} -c '{RELAY}'"
    command = ["unshare", "-n", "sh", "-c", network]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        shell = process.stdout.readline()
        if not shell.strip():
            pytest.skip("no network namespace or terminal of our own here")
        found = look(int(shell))
        process.stdin.close()
    assert found["shell-without-login"].severity in ("high", "medium")
    assert "192.0.2.77" in found["shell-without-login"].explanation.en


PAIR = """#!/bin/sh
# inert; ends when it is told to, or with the file `stop`, and starts the other again once it may
cd {folder} || exit 1
alive() {{ grep -q {folder} "/proc/$(cat {peer}.pid)/cmdline" 2>/dev/null; }}
while [ ! -e stop ]; do
  turn=$(cat turn)
  if [ "$turn" = $$ ]; then exit 0; fi
  if [ "$turn" = again ] && ! alive; then {folder}/{peer} & echo $! > {peer}.pid; fi
  sleep 0.1
done
"""
TURNS = 4


class Pair:
    """Two programs that bring each other back, each as long as it takes to look at it: nothing depends on time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[tuple[int, float], Process] = {}
        self._reader = ProcessReader(TARGET)
        for me, peer in (("heron", "ibis"), ("ibis", "heron")):
            (folder / me).write_text(PAIR.format(folder=folder, peer=peer))
            (folder / me).chmod(0o755)
        (folder / "ibis.pid").write_text("none")
        self.turn("again")

    def turn(self, word: str) -> None:
        (self.folder / "turn.new").write_text(word)
        (self.folder / "turn.new").replace(self.folder / "turn")

    def living(self) -> dict[str, Process]:
        """Return those that have become what they are, by name."""
        found = {}
        for name in ("heron", "ibis"):
            with suppress(OSError, ValueError):  # no number yet, or it has ended
                row = self._reader.row(int((self.folder / f"{name}.pid").read_text()))
                if row.script == str(self.folder / name):
                    found[name] = row
        return found

    def both(self, first: subprocess.Popen[bytes]) -> dict[str, Process]:
        """Wait until both live, and keep them as they are."""
        while len(found := self.living()) < 2:
            first.poll()
            time.sleep(0.02)
        self.rows |= {(row.pid, row.started): row for row in found.values() if (row.pid, row.started) not in self.rows}
        return found

    def end(self, row: Process, first: subprocess.Popen[bytes]) -> None:
        """Let one of them end, and the other bring it back afterwards."""
        self.turn(str(row.pid))
        while row.pid in {living.pid for living in self.living().values()}:
            first.poll()
            time.sleep(0.02)
        self.rows[row.pid, row.started] = replace(self.rows[row.pid, row.started], ended=time.time())
        self.turn("again")


def test_two_programs_that_restart_each_other_are_seen_by_their_history(
    judge: Callable[[list[Row]], list[Finding]], tmp_path: Path
) -> None:
    folder = tmp_path / "pair"
    folder.mkdir()
    pair = Pair(folder)
    with subprocess.Popen(["sh", "-c", f"echo $$ > {folder}/heron.pid; exec {folder}/heron"]) as first:
        try:
            for number in range(TURNS):
                pair.end(pair.both(first)["ibis" if number % 2 else "heron"], first)
            pair.both(first)
        finally:
            (folder / "stop").touch()
    found = [f for f in judge(list(pair.rows.values())) if f.rule_id == "processes-restart-each-other"]
    assert {f.severity for f in found} == {"critical"}, [
        (r.pid, r.ppid, str(r.script)[-8:], r.started % 1000, r.ended and r.ended % 1000) for r in pair.rows.values()
    ]
    assert {str(folder / "heron"), str(folder / "ibis")} <= {key for f in found for key in f.related}


def test_two_running_programs_are_seen_by_their_scripts(judge: Callable[[list[Row]], list[Finding]]) -> None:
    texts = {
        f"/srv/n/{me}": f"#!/bin/sh\nwhile :; do\n  pidof {peer} >/dev/null || /srv/n/{peer} &\n  sleep 5\ndone\n"
        for me, peer in (("lumo", "terko"), ("terko", "lumo"))
    }
    from hinomi.evidence.collect import collect

    rows: list[Row] = []
    collect(memory_target(texts), rows.append, Coverage(), collectors=[scripts.COLLECTOR], jobs=1)
    with started(SLEEP, "3600") as pid:
        (row,) = [r for r in processes.processes(TARGET, Coverage()) if r.pid == pid]
    rows += [replace(row, script="/srv/n/lumo"), replace(row, pid=pid + 1, script="/srv/n/terko")]
    found = {f.subject_key: f.severity for f in judge(rows) if f.rule_id == "processes-restart-each-other"}
    assert found == {str(pid): "high", str(pid + 1): "high"}
