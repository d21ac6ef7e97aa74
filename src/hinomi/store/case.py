"""The case: one folder with immutable Parquet evidence, the state database and the journal.

A run that was cut off (signal, power) is recognised at the next opening by its lock, marked as interrupted, and its
partial files are removed; whatever was finished before stays valid.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from sqlalchemy import Engine, insert, select, update

from hinomi.model.clock import Clock, system_clock
from hinomi.model.errors import PermissionDeniedError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.store.advisories import AdvisoryStore
from hinomi.store.evidence import PARTIAL, EvidenceWriter
from hinomi.store.findings import FindingStore
from hinomi.store.gaps import GapStore
from hinomi.store.journal import Journal
from hinomi.store.library import Library
from hinomi.store.schema import RUNS
from hinomi.store.state import open_state


def default_case_folder() -> Path:
    """Return /var/lib/hinomi for root, the XDG state folder otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/hinomi")
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "hinomi"


class CasePlace(NamedTuple):
    """Where a case lives: the folder of its evidence (None: the default one), and a URL where its state is elsewhere.

    A state at a URL can be shared: each machine keeps evidence and locks in a folder of its own.
    """

    folder: Path | None = None
    state: str | None = None


Place = Path | CasePlace | None
"""How a case is named: a folder that holds all of it, a place with its state elsewhere, or None for the default."""


def folder_of(place: Place) -> Path:
    """Return the folder of a case: what lies there is this machine's alone."""
    named = place.folder if isinstance(place, CasePlace) else place
    return (named or default_case_folder()).absolute()


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as recorded: one look at one target."""

    id: str
    target: str
    kind: str
    host: str
    started: str
    finished: str | None
    status: str
    coverage: dict[str, Any] | None


class Run:
    """A run under way: takes rows, and is visible to readers once `finish` has returned."""

    def __init__(self, case: Case, info: RunInfo, lock: int) -> None:
        self.info = info
        self._case = case
        self._lock = lock
        self._writer = EvidenceWriter(case.evidence, info.host, info.id)

    @property
    def id(self) -> str:
        """The run's id."""
        return self.info.id

    def add(self, row: Row) -> None:
        """Take one evidence row."""
        self._writer.add(row)

    def seal(self) -> dict[str, int]:
        """Put all rows on disk, so that rules can be asked; returns the number of rows per table."""
        return self._writer.close()

    def finish(self, coverage: Coverage) -> None:
        """End the run with its coverage."""
        self._writer.close()
        self._end("complete", coverage)

    def abandon(self) -> None:
        """End the run without result (interrupted)."""
        self._writer.abandon()
        self._end("interrupted", None)

    def _end(self, status: str, coverage: Coverage | None) -> None:
        now = self._case.clock().isoformat()
        body = coverage.to_json() if coverage else None
        with self._case.engine.begin() as connection:
            change = update(RUNS).where(RUNS.c.id == self.id).values(status=status, finished=now, coverage=body)
            connection.execute(change)
        self._case.journal.append(f"run-{status}", run=self.id, target=self.info.target)
        os.close(self._lock)
        self._case.lock_path(self.id).unlink(missing_ok=True)


class Case:
    """A case folder. Use `Case.open`; close it or use it as a context manager."""

    def __init__(self, path: Path, engine: Engine, clock: Clock, *, shared: bool = False) -> None:
        self.path = path
        self._shared = shared
        self.engine = engine
        self.clock = clock
        self.evidence = path / "evidence"
        self.library = Library(engine, clock)
        self.findings = FindingStore(engine)
        self.journal = Journal(engine, clock)
        self.gaps = GapStore(engine, clock)
        self.advisories = AdvisoryStore(engine)

    @classmethod
    def open(cls, place: Place = None, clock: Clock = system_clock) -> Case:
        """Open or begin a case; recovers runs that were cut off."""
        folder = folder_of(place)
        state = place.state if isinstance(place, CasePlace) else None
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / "locks").mkdir(exist_ok=True)
        except (OSError, ValueError) as error:
            raise PermissionDeniedError(
                "case.not-writable", place=str(folder), cause=str(error), next_step="choose another with --case DIR"
            ) from error
        url = state or f"sqlite:///{folder / 'state.db'}"
        case = cls(folder, open_state(url), clock, shared=state is not None)
        case._recover()
        return case

    def begin_run(self, *, target: str, kind: str, host: str) -> Run:
        """Begin a look at a target."""
        started = self.clock()
        run_id = f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        info = RunInfo(run_id, _storable(target), kind, _storable(host), started.isoformat(), None, "running", None)
        lock = os.open(self.lock_path(run_id), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with self.engine.begin() as connection:
            values = {"id": run_id, "target": info.target, "kind": kind, "host": info.host, "started": info.started}
            connection.execute(insert(RUNS).values(**values, status="running"))
        self.journal.append("run-started", run=run_id, target=info.target)
        return Run(self, info, lock)

    def complete_run(self, run_id: str, **facts: Any) -> None:
        """Mark a run as complete whose rows were saved after it had been cut off."""
        with self.engine.begin() as connection:
            values = {"status": "complete", "finished": self.clock().isoformat()}
            connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(**values))
        self.lock_path(run_id).unlink(missing_ok=True)
        self.journal.append("run-recovered", run=run_id, **facts)

    def runs(self, status: str = "complete") -> list[RunInfo]:
        """Return the runs of one status, oldest first."""
        with self.engine.connect() as connection:
            query = select(RUNS).where(RUNS.c.status == status).order_by(RUNS.c.started, RUNS.c.id)
            return [RunInfo(*row) for row in connection.execute(query)]

    def tables(self, run_id: str) -> dict[str, list[Path]]:
        """Return the finished Parquet files of a run by table."""
        found: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(self.evidence.glob(f"*/host=*/run={run_id}/*.parquet")):
            found[path.parts[-4]].append(path)
        return dict(found)

    def lock_path(self, run_id: str) -> Path:
        """Return the lock file that a running run holds."""
        return self.path / "locks" / f"{run_id}.lock"

    def close(self) -> None:
        """Release the state database."""
        self.engine.dispose()

    def __enter__(self) -> Case:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _recover(self) -> None:
        for info in self.runs("running"):
            if not self._is_alive(info.id):
                self._mark_interrupted(info.id)

    def _is_alive(self, run_id: str) -> bool:
        try:
            lock = os.open(self.lock_path(run_id), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return self._shared  # no lock here: the run is another machine's, which alone can tell
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(lock)

    def _mark_interrupted(self, run_id: str) -> None:
        for part in self.evidence.glob(f"*/host=*/run={run_id}/*{PARTIAL}"):
            part.unlink(missing_ok=True)
        with self.engine.begin() as connection:
            connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(status="interrupted"))
        self.lock_path(run_id).unlink(missing_ok=True)
        self.journal.append("run-interrupted", run=run_id)


def _storable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
