"""One `hinomi watch` for the benchmarks: what it said, what it costs with all its processes, as the kernel counts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks._measure import as_installed, hinomi

TICK = os.sysconf("SC_CLK_TCK")


class Watcher:
    """A watcher of one folder with a case of its own; a context manager."""

    def __init__(self, place: Path, base: Path, *words: str) -> None:
        self._out, self._err = base / "out.jsonl", base / "err"
        command = hinomi("watch", str(place), "--case", str(base / "case"), "--format", "jsonl", "--lang", "en", *words)
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=as_installed())
        self.until(lambda: "Watching" in self._err.read_text("utf-8", "replace"), 900.0)

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def until(self, holds: Callable[[], object], seconds: float, pulse: float = 0.02) -> bool:
        """Wait until something holds; False past `seconds`. A watcher that ends is the end of the benchmark."""
        end = time.monotonic() + seconds
        while not holds():
            if self.process.poll() is not None:
                raise SystemExit(f"the watcher ended: {self._err.read_text('utf-8', 'replace')[-500:]}")
            if time.monotonic() > end:
                return False
            time.sleep(pulse)
        return True

    def lines(self, schema: str, *words: str) -> list[dict]:
        """Return what it told of one kind, of the lines that hold all `words`."""
        head = f'{{"schema": "hinomi.{schema}/1"'
        with self._out.open(encoding="utf-8") as file:
            wanted = [x for x in file if x.startswith(head) and x.endswith("\n") and all(word in x for word in words)]
        return [json.loads(line) for line in wanted]

    def state(self) -> dict[str, str | None]:
        """Return the last state that it told of every path: its digest, None for what has none."""
        told: dict[str, str | None] = {}
        for change in self.lines("change"):
            if change["what"] in ("added", "changed"):
                told[change["path"]] = change["new_sha256"]
            else:
                told.pop(change["path"], None)
        return told

    def cpu(self) -> float:
        """Return CPU seconds so far, of ended children too."""
        return cpu_of(self.process.pid)

    def memory(self) -> float:
        """Return MiB of proportional shares of all its processes."""
        return sum(_share(pid) for pid in family(self.process.pid)) / 1024


class Peak:
    """Looks at a watcher's memory again and again meanwhile; `mebibytes` is the most there was. A context manager."""

    def __init__(self, watcher: Watcher) -> None:
        self.mebibytes = 0.0
        self._watcher = watcher
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ended.wait(0.5):
            self.mebibytes = max(self.mebibytes, self._watcher.memory())

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def family(pid: int) -> list[int]:
    """Return a process and all its living descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in family(int(child)))]


def cpu_of(pid: int) -> float:
    """Return CPU seconds of a process and all its children, ended ones included."""
    total = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def _share(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
