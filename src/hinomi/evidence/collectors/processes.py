"""The processes of this live host, from our own reading of /proc."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.process import procfs
from hinomi.evidence.process.reader import GONE, ProcessReader
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.processes import Process
from hinomi.model.text import path_text


class ProcessesCollector:
    """One row per process, our own and its parents included; a process that ends meanwhile is a transient miss."""

    name = "processes"
    tables: tuple[type[Row], ...] = (Process,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows by process id; nothing on a target that is not live."""
        if target.kind == "live":
            yield from processes(target, coverage)


def processes(target: Target, coverage: Coverage, proc: bytes = procfs.PROC) -> Iterator[Process]:
    """Yield the processes that `proc` shows. What the rights do not allow is one miss per kind, with its count."""
    reader = ProcessReader(target, proc)
    pids = procfs.pids(proc)
    if 1 not in pids:
        coverage.miss("processes", path_text(proc), "permission", "only some processes are shown (hidepid)")
    for pid in pids:
        try:
            row = reader.row(pid)
        except GONE:
            coverage.miss("processes", str(pid), "vanished", transient=True)
        except (OSError, ValueError) as error:
            coverage.miss("processes", str(pid), "unreadable", type(error).__name__)
        else:
            coverage.count("processes")
            yield row
    for kind, refused in sorted(reader.refused.items()):
        coverage.miss("processes", kind, "permission", f"{len(refused)} processes")


COLLECTOR = ProcessesCollector()
