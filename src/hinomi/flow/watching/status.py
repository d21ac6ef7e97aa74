"""What the watcher says of itself: one small file, rewritten in place, so that a full disk cannot hide it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hinomi.flow.watching.lock import holder_of, watch_folder
from hinomi.store.case import Case
from hinomi.store.gaps import Gap

SIZE = 64 << 10
NAME = "status.json"


class StatusFile:
    """A file of fixed size that holds one JSON object."""

    def __init__(self, case: Path) -> None:
        self._descriptor = os.open(watch_folder(case) / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._last = b""

    def read(self) -> dict[str, Any]:
        """Return what was written last; empty where that is nothing, or nonsense."""
        return _parsed(os.pread(self._descriptor, SIZE, 0))

    def write(self, values: dict[str, Any]) -> None:
        """Write; the blocks are there already, so this works on a full disk too."""
        data = json.dumps(values, ensure_ascii=True).encode("ascii")
        if len(data) >= SIZE:
            data = json.dumps(values | {"marks": [], "shortened": True}).encode("ascii")[: SIZE - 1]
        if data != self._last:
            os.pwrite(self._descriptor, data.ljust(SIZE - 1) + b"\n", 0)
            self._last = data

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        values = json.loads(data)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """What is watched, with what, since when, and what was not."""

    running: bool
    values: dict[str, Any]
    gaps: tuple[Gap, ...]

    @property
    def complete(self) -> bool:
        """Whether a watcher runs, hears of everything in scope, and no gap is open."""
        heard = all(mark["ok"] for mark in self.values.get("marks", []))
        return self.running and heard and not any(gap.reconciled_at is None for gap in self.gaps)

    def to_json(self) -> dict[str, Any]:
        """Return the contract's `hinomi.watch/1` object."""
        return {
            "schema": "hinomi.watch/1", "running": self.running, "complete": self.complete, **self.values,
            "gaps": [gap.to_json() for gap in self.gaps],
        }  # fmt: skip


def status_of(case: Case) -> WatchStatus:
    """Return the state of a case's watcher."""
    holder = holder_of(case.path)
    try:
        values = _parsed((watch_folder(case.path) / NAME).read_bytes())
    except OSError:
        values = {}
    if holder is not None:
        values |= {"pid": holder.get("pid"), "since": holder.get("since")}
    return WatchStatus(holder is not None, values, tuple(case.gaps.listed()))
