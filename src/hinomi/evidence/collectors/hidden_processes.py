"""Processes that hide: what the kernel answers to, held against what it lists."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.process.hidden import hidden_processes
from hinomi.evidence.process.views import ProcessViews
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.processes import HiddenProcess


class HiddenProcessesCollector:
    """One row per hidden process; none on an honest host.

    A rootkit filters the listing of /proc, in the C library or in the kernel, and then no tool that lists processes
    shows its own. Asking for every number there can be, one by one, does.
    """

    name = "hidden_processes"
    tables: tuple[type[Row], ...] = (HiddenProcess,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows by process id; nothing on a target that is not live."""
        if target.kind == "live":
            yield from hidden_processes(ProcessViews(), coverage)


COLLECTOR = HiddenProcessesCollector()
