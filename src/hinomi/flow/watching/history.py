"""Who started whom, over time: two programs that bring each other back are seen by that alone.

A program is told by its path and by what its file holds, so that one that takes a new name with every life is still
the same. Only a few lives of each are kept; what else happens on the host costs a look-up.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from hinomi.evidence.process.scriptname import interprets
from hinomi.model.tables import Row
from hinomi.model.tables.files import File
from hinomi.model.tables.processes import Process
from hinomi.model.text import path_bytes
from hinomi.watch.live.processes import Identity

K = TypeVar("K")
V = TypeVar("V")
MAX_PROGRAMS = 1024
MAX_PAIRS = 1024
MAX_LIVING = 2048
LIVES = 4  # kept of each program
TOLERANCE = 1.0  # seconds: starts are counted from a boot time in whole seconds
MAX_STEPS = 4  # shells and forks between a program and the one that it starts


@dataclass(slots=True, eq=False)
class _Life:
    """One run of a program."""

    start: Identity
    row: Process
    file: File | None
    path: str  # of the program or script; empty for an interpreter without one
    digest: str  # of that file; empty where it was not looked at
    ended: float | None = None


class StartHistory:
    """Remembers lives by program and says when one was brought back by what it itself brings back."""

    def __init__(self) -> None:
        self._by_pid: OrderedDict[int, _Life] = OrderedDict()
        self._lives: OrderedDict[str, deque[_Life]] = OrderedDict()  # by path, and by digest
        self._pairs: OrderedDict[tuple[str, str], bool] = OrderedDict()  # parent and child: was it brought back so?

    def ended(self, pid: int, started: float, at: float) -> None:
        """Learn that a process has ended (`Identity.started` says which)."""
        life = self._by_pid.get(pid)
        if life is not None and life.start.started == started:
            life.ended = at

    def saw(self, start: Identity, row: Process, file: File | None) -> list[Row]:
        """Take a start; `file` is the row of its script or program, where that was looked at.

        Returns the lives of both programs (and the files that tell them) where each has brought back the other; for
        all others, nothing.
        """
        path = program_of(row) or ""
        digest = file.sha256 or "" if file is not None and file.path == path else ""
        life = _Life(start, row, file, path, digest, row.ended)
        above = self._above(start)
        self._becomes(life)
        _put(self._by_pid, start.pid, life, MAX_LIVING)
        for what in filter(None, (path, digest)):
            _put(self._lives, what, deque((*self._lives.get(what, ()), life), LIVES), MAX_PROGRAMS)
        if above is None or not path:
            return []
        life.row = replace(row, ppid=above.start.pid)
        ways = ((above.path, path), (above.digest, digest))
        return list(self._told(*{what for way in ways if self._is_back(life, *way) for what in way}))

    def _becomes(self, life: _Life) -> None:
        """End the life that a process led before it became this program; the same one is seen again, as it is now."""
        before = self._by_pid.get(life.start.pid)
        if before is None:
            return
        before.ended = before.ended or life.start.started
        for what in filter(None, (before.path, before.digest)):
            if what in (life.path, life.digest) and before in self._lives.get(what, ()):
                self._lives[what].remove(before)

    def _above(self, start: Identity) -> _Life | None:
        """Return the life of the program that started this one, past the shells and forks in between."""
        line = start.ancestors[:MAX_STEPS]
        for number, (pid, program) in enumerate(line):
            life = self._by_pid.get(pid)
            if life is not None and life.path:
                return life
            following = line[number + 1][1] if number + 1 < len(line) else None
            if life is None and following != program:
                return None
        return None

    def _is_back(self, life: _Life, above: str, what: str) -> bool:
        """Whether this program was brought back by the one above, and has brought back that one before."""
        if not above or not what or above == what:
            return False
        earlier = [other for other in self._lives[what] if other is not life]
        limit = life.row.started + TOLERANCE
        back = bool(earlier) and all(other.ended is not None and other.ended <= limit for other in earlier)
        _put(self._pairs, (above, what), back or self._pairs.get((above, what), False), MAX_PAIRS)
        return back and self._pairs.get((what, above), False)

    def _told(self, *programs: str) -> Iterator[Row]:
        lives = {id(life): life for what in programs for life in self._lives.get(what, ())}
        for life in lives.values():
            yield replace(life.row, ended=life.ended)
            if life.file is not None:
                yield life.file


def program_of(row: Process) -> str | None:
    """Return the path of what a process runs: its script, else its program; None for an interpreter without one."""
    if row.script is not None or row.exe is None:
        return row.script
    return None if interprets(path_bytes(row.exe)) else row.exe


def _put(kept: OrderedDict[K, V], key: K, value: V, limit: int) -> None:
    """Keep a value as the latest; the oldest gives way."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > limit:
        kept.popitem(last=False)
