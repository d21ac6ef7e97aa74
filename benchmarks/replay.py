"""False alarms: ordinary work under the watcher, and how many findings of which severity it gives.

    python benchmarks/replay.py [--minutes 1]

Compilers, editors' ways of saving, log rotation, cron-like jobs, a database, a web server on loopback, all in a folder
of its own. Package installs and log-ins are not replayed here. Findings are counted that are about this folder or about
processes started by the work; bar: none at `high` or above.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

MAIN = "from hinomi.cli.main import main; main()"
SERIOUS = ("high", "critical")


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    minutes = parser.parse_args(arguments).minutes
    if os.geteuid() != 0:
        print("needs root: fanotify and the process connector")
        return 0
    base = Path(tempfile.mkdtemp(prefix="hinomi-bench-replay-"))
    place = Path(tempfile.mkdtemp(prefix="work-", dir="/dev/shm" if os.path.ismount("/dev/shm") else None))
    try:
        return _replay(place, base, minutes)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(base, ignore_errors=True)


def _replay(place: Path, base: Path, minutes: float) -> int:
    out, err = base / "out.jsonl", base / "err"
    command = [sys.executable, "-c", MAIN, "watch", str(place), "--case", str(base / "case"), "--format", "jsonl",
               "--lang", "en"]  # fmt: skip
    with out.open("wb") as stdout, err.open("wb") as stderr:
        watcher = subprocess.Popen(command, stdout=stdout, stderr=stderr)
    while "Watching" not in err.read_text():
        if watcher.poll() is not None:
            raise SystemExit(err.read_text())
        time.sleep(0.1)
    jobs: list[Callable[[Path], None]] = [_editor, _logs, _cron, _compiler, _database, _server]
    end, rounds = time.monotonic() + 60 * minutes, 0
    while time.monotonic() < end:
        for job in jobs:
            job(place)
        rounds += 1
        time.sleep(1)
    time.sleep(5)
    watcher.send_signal(signal.SIGINT)
    watcher.wait()
    return _count(out, place, rounds)


def _count(out: Path, place: Path, rounds: int) -> int:
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    ours = {str(s["pid"]) for s in lines if "process-start" in s["schema"] and str(place) in " ".join(s["cmdline"])}
    about = {}
    for line in lines:
        subject = line["subject"]["key"] if "finding" in line["schema"] else ""
        if subject.startswith(str(place)) or subject in ours:
            about[line["id"]] = line
    counts = Counter(finding["severity"] for finding in about.values())
    changes = sum("change" in line["schema"] for line in lines)
    print(f"{rounds} rounds of work, {changes} changes: findings {dict(counts) or 'none'}")
    for finding in about.values():
        print(f"  {finding['severity']}: {finding['title']['en']} ({finding['rule']['id']})")
    return int(any(counts[severity] for severity in SERIOUS))


def _editor(place: Path) -> None:
    """Save as editors do: a new file beside, a copy kept, the name moved over."""
    path = place / "notes.py"
    (place / ".notes.py.swp").write_bytes(b"b0VIM 9.0" + bytes(200))
    new = place / "notes.py.tmp"
    new.write_text(f"#!/usr/bin/env python3\nprint({time.time()})\n")
    new.chmod(0o755)
    if path.exists():
        path.rename(place / "notes.py~")
    new.rename(path)
    (place / ".notes.py.swp").unlink()


def _logs(place: Path) -> None:
    log = place / "app.log"
    with log.open("a") as file:
        file.writelines(f"{time.time()} GET /index.html 200\n" for _ in range(500))
    (place / "app.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.write_bytes(b"")


def _cron(place: Path) -> None:
    job = place / "nightly.sh"
    job.write_text(
        f"#!/bin/sh\nset -e\ntar -czf {place}/backup.tgz -C {place} notes.py\nfind {place} -name '*.old' -delete\n"
    )
    job.chmod(0o755)
    subprocess.run([str(job)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _compiler(place: Path) -> None:
    if shutil.which("gcc") is None:
        return
    (place / "a.c").write_text('#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')
    subprocess.run(["gcc", "-O1", "-o", str(place / "hello"), str(place / "a.c")], check=False)
    subprocess.run([str(place / "hello")], check=False, stdout=subprocess.DEVNULL)


def _database(place: Path) -> None:
    database = sqlite3.connect(place / "shop.db")
    with database:
        database.execute("CREATE TABLE IF NOT EXISTS orders (n INTEGER, at REAL)")
        database.executemany("INSERT INTO orders VALUES (?, ?)", [(n, time.time()) for n in range(200)])
    database.close()


def _server(place: Path) -> None:
    (place / "index.html").write_text("<h1>hello</h1>")
    words = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(place)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None
        port = server.stdout.readline().split(b" port ")[1].split()[0].decode()
        for _ in range(5):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/index.html", timeout=5).close()
    finally:
        server.terminate()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
