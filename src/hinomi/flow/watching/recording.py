"""The watch's evidence: rows go to a spool first, and become a run like a scan's when it ends."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from hinomi.flow.watching.sealing import seal
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.store.case import Case, Run
from hinomi.watch.spool import Spool, left_over

KIND = "watch"
MAX_REMEMBERED = 8_000  # rows whose numbers are known; one beyond is written again when it is needed again


class Recording:
    """One run of the watch under way."""

    def __init__(self, case: Case, folder: Path, target: str, host: str) -> None:
        """Begin a run."""
        self._case = case
        self.run: Run = case.begin_run(target=target, kind=KIND, host=host)
        self._spool = Spool(folder, self.run.id)
        self._numbers: OrderedDict[int, tuple[Row, int]] = OrderedDict()  # by identity; the row keeps it valid
        self._began = time.monotonic()
        self.coverage = Coverage()

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self._spool.rows

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def append(self, rows: Sequence[Row], *, remember: bool = False) -> list[int]:
        """Write rows ahead and return their numbers; those already written, and remembered, keep theirs."""
        fresh = [row for row in rows if id(row) not in self._numbers]
        numbers = iter(self._spool.append(fresh))
        placed = [self._numbers.get(id(row)) or (row, next(numbers)) for row in rows]
        if remember:
            self._numbers.update((id(row), (row, number)) for row, number in placed)
            while len(self._numbers) > MAX_REMEMBERED:
                self._numbers.popitem(last=False)
        return [number for _, number in placed]

    def forget_all_but(self, rows: Iterable[Row]) -> None:
        """Keep the numbers of these rows only: no other is asked about again."""
        kept = {id(row) for row in rows}
        for key in [key for key in self._numbers if key not in kept]:
            del self._numbers[key]

    def finish(self) -> None:
        """Turn the spool into evidence and end the run; a run without rows leaves nothing behind but its record."""
        self._spool.close()
        seal(self._case.evidence, self.run.info.host, self.run.id, self._spool.path)
        self.run.finish(self.coverage)
        self._spool.path.unlink(missing_ok=True)


def recover(case: Case, folder: Path) -> Iterator[tuple[str, int]]:
    """Turn what a watcher that was cut off has written into evidence of its run; yield (run, rows)."""
    for run, path in left_over(folder):
        info = next((r for status in ("interrupted", "running") for r in case.runs(status) if r.id == run), None)
        if info is not None:
            rows = seal(case.evidence, info.host, run, path)
            case.complete_run(run, rows=rows)
            yield run, rows
        path.unlink(missing_ok=True)
