"""Worker processes: one that dies or hangs costs the file it was at, none outlives the scan, none exceeds its bounds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hinomi.evidence import workerloop
from hinomi.evidence.collect import collect
from hinomi.evidence.collector import ContentFile
from hinomi.evidence.sources.root import root_target
from hinomi.evidence.target import Limits, Target
from hinomi.evidence.view import Entry
from hinomi.evidence.workerloop import IDLE, SLOT, Bounds
from hinomi.evidence.workers import Batch, Lost, WorkerPool
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import ContentMatch, File

SECONDS = 30.0  # that a file may take, less than any machine is up when this runs


class Fragile:
    """Tells the process it runs in; some file names end or stop that process."""

    name = "fragile"
    tables = (ContentMatch,)

    def wants(self, entry: Entry, head: bytes) -> bool:
        return True

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        name = file.entry.name
        if name.startswith(b"dies"):
            os.kill(os.getpid(), signal.SIGSEGV)
        elif name.startswith(b"leaves"):
            os._exit(3)
        elif name.startswith(b"eats"):
            kept = [bytes(64 << 20) for _ in range(64)]
            del kept
        yield ContentMatch(
            path=file.entry.path.decode(), rule=str(os.getpid()), excerpt=file.read(20).decode("latin-1")
        )


def tree(folder: Path, *names: str) -> Target:
    for name in names:
        (folder / name).write_text(f"content of {name}")
    return root_target(folder, limits=Limits(max_file_seconds=SECONDS, max_worker_memory=256 << 20))


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the worker that comes to a file named `hangs` stay there, as it says since long ago: no test waits for it,
    and no file that is only slow is taken for another."""
    plain = workerloop._Loop._one

    def one(self: workerloop._Loop, index: int, entry: Entry) -> None:
        if entry.name == b"hangs":
            SLOT.pack_into(self._shared, self._offset, index, 0.001)
            time.sleep(3600)
        plain(self, index, entry)

    monkeypatch.setattr(workerloop._Loop, "_one", one)


def run(target: Target, jobs: int = 2) -> tuple[list[Row], Coverage]:
    rows: list[Row] = []
    coverage = Coverage()
    collect(target, rows.append, coverage, collectors=[Fragile()], jobs=jobs)
    return rows, coverage


def names_of(rows: list[Row], kind: type) -> list[str]:
    return [row.path for row in rows if isinstance(row, kind)]  # type: ignore[attr-defined]


def children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def test_files_are_read_in_other_processes_and_rows_keep_their_order(tmp_path: Path) -> None:
    expected = [f"{i:03}" for i in range(500)]
    rows, coverage = run(tree(tmp_path, *expected), jobs=3)
    assert names_of(rows, ContentMatch) == [f"/{name}" for name in expected]
    assert str(os.getpid()) not in {row.rule for row in rows if isinstance(row, ContentMatch)}
    assert coverage.examined["files"] == 500 and coverage.complete


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("dies", "crashed", "the reading process ended by SIGSEGV"),
        ("leaves", "crashed", "the reading process ended with status 3"),
        ("hangs", "timeout", f"more than {SECONDS:.0f} s"),
    ],
)
def test_what_a_worker_does_not_survive_costs_one_file(
    tmp_path: Path, name: str, reason: str, detail: str, hanging: None
) -> None:
    others = [f"{letter}{i}" for letter in "az" for i in range(30)]
    rows, coverage = run(tree(tmp_path, name, *others))
    lost = next(row for row in rows if isinstance(row, File) and row.path == f"/{name}")
    assert (lost.sha256, lost.size) == (None, len(f"content of {name}"))
    assert names_of(rows, ContentMatch) == [f"/{other}" for other in sorted(others)]
    assert [(m.area, m.subject, m.reason, m.detail) for m in coverage.misses] == [("files", f"/{name}", reason, detail)]


def test_nonsense_from_a_worker_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = workerloop._Loop._one

    def one(self: workerloop._Loop, index: int, entry: Entry) -> None:
        if entry.name == b"shouts":
            workerloop.SLOT.pack_into(self._shared, self._offset, index, time.monotonic())
            os.write(self._answer, b"\xff" * 100)
            time.sleep(600)
        plain(self, index, entry)

    monkeypatch.setattr(workerloop._Loop, "_one", one)
    rows, coverage = run(tree(tmp_path, "other", "shouts"))
    assert names_of(rows, ContentMatch) == ["/other"]
    assert [(m.subject, m.detail) for m in coverage.misses] == [("/shouts", "answered nonsense")]


def test_without_any_worker_the_files_are_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workerloop, "bound_process", lambda parent, memory: os._exit(1))
    rows, coverage = run(tree(tmp_path, "a", "b"))
    assert {row.rule for row in rows if isinstance(row, ContentMatch)} == {str(os.getpid())}
    assert coverage.complete


def test_many_deaths_in_one_folder(tmp_path: Path) -> None:
    bad = [f"dies{i}" for i in range(7)]
    good = [f"file{i}" for i in range(7)]
    rows, coverage = run(tree(tmp_path, *bad, *good))
    assert names_of(rows, ContentMatch) == [f"/{name}" for name in good]
    assert sorted(m.subject for m in coverage.misses) == [f"/{name}" for name in bad]


def test_memory_is_bounded_and_its_end_is_one_collectors_miss(tmp_path: Path) -> None:
    rows, coverage = run(tree(tmp_path, "eats", "other"))
    assert names_of(rows, ContentMatch) == ["/other"]
    assert [(m.area, m.subject, m.reason) for m in coverage.misses] == [("fragile", "/eats", "crashed")]
    assert next(row for row in rows if isinstance(row, File) and row.path == "/eats").sha256 is not None


def test_no_process_and_no_descriptor_is_left(tmp_path: Path) -> None:
    target = tree(tmp_path, "a", "dies", "z")
    before, descriptors = children(), len(os.listdir("/proc/self/fd"))
    run(target, jobs=4)
    assert children() <= before
    assert len(os.listdir("/proc/self/fd")) == descriptors


SCRIPT = """
import signal, sys, time
from hinomi.evidence import workerloop
from hinomi.evidence.collect import collect
from hinomi.evidence.sources.root import root_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import ContentMatch

signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background of a shell ignore it

class Slow:
    name, tables = "slow", (ContentMatch,)
    def wants(self, entry, head): return True
    def examine(self, file, target, coverage):
        time.sleep(100)
        yield from ()

try:
    collect(root_target(sys.argv[1]), lambda row: print(row.path, flush=True), Coverage(), collectors=[Slow()], jobs=2)
except KeyboardInterrupt:
    sys.exit(130)
"""


def started(folder: Path) -> tuple[subprocess.Popen[bytes], list[str]]:
    """Start a scan that stays at its first files; return it with the process ids of its workers."""
    tree(folder, *map(str, range(400)))
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"/\n"
    workers: list[str] = []
    while len(workers) < 2 and process.poll() is None:
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        time.sleep(0.05)
    assert len(workers) == 2
    return process, workers


def gone(pids: list[str]) -> bool:
    """Whether the processes end, however slow the machine (a zombie of another's is ended too)."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        states = [Path(f"/proc/{pid}/stat") for pid in pids]
        if all(not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z" for state in states):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(sys.version_info < (3, 11), reason="process_group")
def test_an_interrupt_of_the_terminal_ends_all_without_a_word(tmp_path: Path) -> None:
    process, workers = started(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors == b""
    assert gone(workers)


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    process, workers = started(tmp_path)
    process.kill()
    process.communicate()
    assert gone(workers)


def test_a_slot_read_half_written_is_no_hang() -> None:
    """A worker at its first file, told with no moment of beginning, is not ended as one that hangs."""

    def job(entry: Entry) -> bytes:
        time.sleep(60)
        return b""

    pool = WorkerPool(job, 1, Bounds(seconds=30, memory=256 << 20), job)
    try:
        (worker,) = pool._workers
        batch = Batch()
        batch.add(Entry(b"/file", "file", 1, 0o644, 0, 0, 1, 1, 1, 0.0, 0.0))
        pool.submit(batch)
        while worker.at[0] != 0:  # it has begun
            time.sleep(0.01)
        for torn in ((0, 0.0), (IDLE, 0.0)):
            SLOT.pack_into(pool._shared, 0, *torn)
            pool._end_slow()
            assert pool._workers == [worker]
        SLOT.pack_into(pool._shared, 0, 0, time.monotonic() - 60)
        pool._end_slow()
        assert pool._workers != [worker]
        assert isinstance(batch.answers[0], Lost) and batch.answers[0].reason == "timeout"
    finally:
        pool.close()
