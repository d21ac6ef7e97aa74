"""What batches of changes came to, and what of it is still to be judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from hinomi.flow.watching.explaining import States
from hinomi.model.tables import Row
from hinomi.model.tables.changes import FileChange
from hinomi.watch.known import Facts
from hinomi.watch.live.pending import Change

MAX_WAIT = 1.0  # seconds that judging may wait for more to judge


@dataclass(slots=True)
class Settled:
    """What a batch of paths came to."""

    changes: list[FileChange] = field(default_factory=list)
    pairs: list[tuple[bytes, States]] = field(default_factory=list)  # the states of each change, in the same order
    rows: list[Row] = field(default_factory=list)  # of changed files
    telling: list[Row] = field(default_factory=list)  # those of them that rules should see
    states: list[tuple[bytes, Facts]] = field(default_factory=list)
    gone: list[bytes] = field(default_factory=list)
    folders: list[Change] = field(default_factory=list)  # new folders, whose contents may have come unheard
    emptied: list[Change] = field(default_factory=list)  # folders that are gone, with what was known in them
    paths: set[bytes] = field(default_factory=set)

    def add(self, change: FileChange, path: bytes, old: Facts | None, new: Facts | None) -> None:
        """Take a change with the states that it lies between."""
        self.changes.append(change)
        self.pairs.append((path, (old, new)))


@dataclass(slots=True)
class Due:
    """What has been written down and is not concluded: in order, and all that rules are to be asked about."""

    settled: list[Settled] = field(default_factory=list)
    judged: list[Row] = field(default_factory=list)
    paths: set[bytes] = field(default_factory=set)
    states: dict[bytes, Facts | None] = field(default_factory=dict)  # None: gone
    since: float = 0.0  # monotonic

    @property
    def is_late(self) -> bool:
        """Whether it should not wait for more."""
        return bool(self.settled) and time.monotonic() - self.since > MAX_WAIT

    def take(self, settled: Settled, judged: Sequence[Row]) -> None:
        """Add one batch; its rows are only needed for judging from here on."""
        if not self.settled:
            self.since = time.monotonic()
        self.paths |= settled.paths
        self.states.update(settled.states)
        self.states.update(dict.fromkeys(settled.gone))
        self.judged += judged
        settled.rows, settled.telling = [], []
        self.settled.append(settled)
