"""Whom the watch tells what: the edge and the alerts implement this."""

from __future__ import annotations

from typing import Any, Protocol

from hinomi.model.findings import Finding
from hinomi.model.tables.changes import FileChange
from hinomi.model.tables.processes import Process
from hinomi.store.gaps import Gap


class Teller(Protocol):
    """Hears of everything that has been kept; called from one process, in order."""

    def change(self, change: FileChange) -> None:
        """A file changed."""

    def start(self, process: Process) -> None:
        """A program was started."""

    def finding(self, finding: Finding, *, new: bool) -> None:
        """A rule found something; `new` where it had not been found before."""

    def gap(self, gap: Gap) -> None:
        """A gap was opened or closed."""

    def note(self, word: str, **facts: Any) -> None:
        """Something about the watcher itself: a word of the catalogue and its facts."""
