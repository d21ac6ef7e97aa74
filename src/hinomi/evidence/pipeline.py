"""The walk: every entry of a target becomes a row of `files`, every regular file is opened once and read once.

Parsing content is Python's own work, so it is done by worker processes; this process walks, asks the cache, and hands
the rows over in walk order, whoever was first. Where nothing is parsed, threads of the compiled core read instead. A
view that cannot be opened again in another process is read here.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hinomi.evidence.cache import may_keep
from hinomi.evidence.collector import ContentCollector
from hinomi.evidence.digesting import MAX_FOLDERS, DigestThreads, FolderBatch
from hinomi.evidence.earlier import EarlierReadings
from hinomi.evidence.examiner import Examiner
from hinomi.evidence.filereader import FileReader
from hinomi.evidence.filerows import FileRows
from hinomi.evidence.folders import DescriptorView, Folder, WorkerView, folders_of
from hinomi.evidence.hardlinks import Twins
from hinomi.evidence.keptfolders import Gathering, KeptFolder, Place
from hinomi.evidence.native import compiled
from hinomi.evidence.reading import Reading, decode, encode
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.evidence.workerloop import Bounds
from hinomi.evidence.workers import Batch, Lost, WorkerPool
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.text import path_text, printable

Progress = Callable[[int, int, str], None]

MAX_JOBS = 8  # unless asked for more: the walk feeds no more
BATCH_FILES = 128
BATCH_BYTES = 4 << 20
MAX_WAITING = 20_000  # entries whose rows wait for one before them
MAX_HELD = 64 << 20  # bytes of answers that wait for one before them
PROGRESS_STEP = 256


class _Due(NamedTuple):
    """An entry whose rows are due in order, and where its reading comes from."""

    entry: Entry
    reading: Reading | None = None
    batch: Batch | None = None
    number: int = 0  # in the batch
    keep: Place | None = None  # where a new answer may be kept
    twin: bool = False
    gathering: Gathering | None = None  # where the answers of its folder are kept together
    kept: KeptFolder | None = None  # instead of one entry: a whole folder that did not change


class KeptWorkers:
    """Workers that stay from one look to the next; all looks must be of one target, with the same collectors."""

    def __init__(self) -> None:
        self.pool: WorkerPool | DigestThreads | None = None

    def close(self) -> None:
        """End them; the next look starts new ones."""
        if self.pool is not None:
            self.pool.close()
        self.pool = None


class Pipeline:
    """Walks a target and hands every row to `sink` from the calling thread, in walk order."""

    def __init__(
        self,
        target: Target,
        sink: Callable[[Row], None],
        coverage: Coverage,
        collectors: Sequence[ContentCollector],
        *,
        progress: Progress | None = None,
        jobs: int | None = None,
        nice: bool = False,
        cache: Path | None = None,
        workers: KeptWorkers | None = None,
    ) -> None:
        """Prepare; nothing is read but the target's account names. `workers` outlive this walk."""
        self._target = target
        self._sink = sink
        self._coverage = coverage
        self._collectors = tuple(collectors)
        self._examiner = Examiner(target, collectors)
        self._rows = FileRows(target)
        self._progress = progress
        self._jobs = jobs or min(usable_cores(), MAX_JOBS)
        self._nice = nice
        self._scratch = cache
        self._earlier = EarlierReadings(target, self._rows, coverage, collectors, cache)
        self._kept = workers
        self._pool: WorkerPool | DigestThreads | None = None
        self._core = None if collectors else compiled("digests")
        self._batch: Batch = Batch()
        self._batch_bytes = 0
        self._reader: FileReader | None = None
        self._folder: Folder | None = None
        self._twins = Twins(self._rows)
        self._waiting: deque[_Due] = deque()
        self._held_entries = 0  # that wait
        self._gathering: Gathering | None = None
        self._entries = 0
        self._files = 0
        self._bytes = 0

    def run(self) -> None:
        """Walk the whole target."""
        self._earlier.open()
        try:
            self._prepare_workers()
            for folder in folders_of(self._target.view, self._coverage):
                try:
                    self._take_all(folder)
                finally:
                    folder.release()
            self._hand_out(last=True)
            self._emit_until(0)
        except BaseException:
            self._examiner.stop()
            if self._kept is not None:
                self._kept.close()
                self._pool = None
            raise
        finally:
            if self._pool is not None:
                for door in self._pool.left_open():
                    self._coverage.skip(f"workers-without-{door}")
            if self._pool is not None and self._kept is None:
                self._pool.close()
            if self._reader is not None:
                self._reader.close()
            if isinstance(self._batch, FolderBatch):
                self._batch.release()
            self._earlier.close()
        self._tell_progress(b"/")

    def _prepare_workers(self) -> None:
        view = self._target.view
        alone = self._jobs <= 1 and self._kept is None  # a worker that is kept is worth its start also alone
        if alone or not isinstance(view, WorkerView) or not view.in_workers:
            return
        self._reader = FileReader(view, self._examiner)
        if isinstance(view, DescriptorView) and view.by_descriptor and self._core is not None:
            self._batch = FolderBatch()

    def _start_workers(self, reader: FileReader, *, few: bool) -> WorkerPool | DigestThreads:
        """Start the workers when there is something to read: an unchanged tree needs none, and for a few files one
        worker is enough, which loads only what they need.
        """
        if self._kept is not None and self._kept.pool is not None:
            self._pool = self._kept.pool
            return self._pool
        few = few and self._kept is None
        for prepare in () if few else _preparations(self._collectors):
            prepare()
        jobs = 1 if few else self._jobs
        limits = self._target.limits
        if isinstance(self._batch, FolderBatch) and self._core is not None:
            seconds = limits.max_file_seconds
            self._pool = DigestThreads(self._core, jobs, limits.max_file_size, seconds, nice=self._nice)
        else:
            bounds = Bounds(limits.max_file_seconds, limits.max_worker_memory, self._nice, self._scratch)
            self._pool = WorkerPool(reader.answer, jobs, bounds, reader.answer, reader.close)
        if self._kept is not None:
            self._kept.pool = self._pool
        return self._pool

    # --- entries in -----------------------------------------------------------------------------------------------

    def _take_all(self, folder: Folder) -> None:
        """Take a folder's entries. Times are compared with a moment before any of its files is read."""
        now = time.time_ns()
        self._folder = folder
        storage, kept, self._gathering = self._earlier.enter(folder)
        if kept is not None:
            self._due(_Due(folder.entries[0], kept=kept))
            return
        for entry in folder.entries:
            if entry.kind == "file":
                place = storage if storage is not None and storage[0] == entry.device else None
                self._take(folder, entry, place, now)
            else:
                if entry.kind not in ("directory", "symlink"):
                    self._coverage.skip(entry.kind)
                self._due(_Due(entry))

    def _take(self, folder: Folder, entry: Entry, place: Place | None, now: int) -> None:
        """Decide where one regular file's reading comes from."""
        gathering = self._gathering
        if self._left_out(entry):
            self._due(_Due(entry, gathering=gathering))
        elif entry.links > 1 and self._twins.knows(entry):
            self._due(_Due(entry, twin=True))
        elif place is not None and (known := self._earlier.reading_of(entry, place)) is not None:
            self._due(_Due(entry, known, gathering=gathering))
        else:
            keep = place if place is not None and may_keep(entry, now) else None
            self._read(folder, entry, keep)

    def _left_out(self, entry: Entry) -> bool:
        limits = self._target.limits
        if limits.chosen_max_size is not None and entry.size > limits.chosen_max_size:
            self._coverage.skip("larger-than-chosen")
            return True
        if entry.size > limits.max_file_size:
            self._coverage.miss("files", _shown(entry.path), "too-large", str(entry.size))
            return True
        return False

    def _read(self, folder: Folder, entry: Entry, keep: Place | None) -> None:
        if self._reader is None:
            reading = self._examiner.read(folder, entry)
            if keep is not None:
                self._earlier.keep(entry, keep, reading, encode(reading))
            self._due(_Due(entry, reading, gathering=self._gathering))
            return
        batch = self._batch
        if isinstance(batch, FolderBatch):
            number = batch.add_from(folder, entry, self._target.ownership.digest_kind(entry.path))
            full = len(batch.folders) >= MAX_FOLDERS
        else:
            number, full = batch.add(entry), False
        self._batch_bytes += entry.size
        self._due(_Due(entry, batch=batch, number=number, keep=keep, gathering=self._gathering))
        if full or len(batch.entries) >= BATCH_FILES or self._batch_bytes >= BATCH_BYTES:
            self._hand_out()

    def _hand_out(self, *, last: bool = False) -> None:
        """Give the gathered files to a worker, as soon as one has room; after the `last` ones no more will come."""
        batch = self._batch
        if self._reader is None or not batch.entries:
            return
        pool = self._pool or self._start_workers(self._reader, few=last)
        while not pool.has_room() or pool.held > MAX_HELD:
            self._wait_for(pool)
        self._batch, self._batch_bytes = type(batch)(), 0
        pool.submit(batch)
        pool.pump(wait=False)
        self._emit_ready()

    # --- rows out, in order ---------------------------------------------------------------------------------------

    def _due(self, due: _Due) -> None:
        if not self._waiting and due.batch is None:
            self._emit(due)
            return
        self._waiting.append(due)
        self._held_entries += len(due.kept.entries) if due.kept is not None else 1
        if self._held_entries >= MAX_WAITING:
            self._hand_out()
            self._emit_until(len(self._waiting) // 2)

    def _emit_ready(self) -> None:
        """Hand over what is due and done."""
        while self._waiting and self._is_done(self._waiting[0]):
            due = self._waiting.popleft()
            self._held_entries -= len(due.kept.entries) if due.kept is not None else 1
            self._emit(due)

    def _emit_until(self, left: int) -> None:
        """Hand over what is due, waiting for it, until only `left` entries wait."""
        while len(self._waiting) > left:
            self._emit_ready()
            if len(self._waiting) > left and self._pool is not None:
                self._wait_for(self._pool)

    def _wait_for(self, pool: WorkerPool | DigestThreads) -> None:
        """Take what comes next; a file that takes long is named meanwhile."""
        pool.pump(wait=True)
        self._emit_ready()
        if self._waiting:
            self._tell_progress(self._waiting[0].entry.path)

    @staticmethod
    def _is_done(due: _Due) -> bool:
        return due.batch is None or due.batch.answers[due.number] is not None

    def _emit(self, due: _Due) -> None:
        entry, reading = due.entry, due.reading
        if due.kept is not None:
            self._emit_kept(due.kept)
            return
        if due.batch is not None:
            reading = self._answered(due, due.batch)
        elif due.twin:
            reading = self._of_twin(entry)
        if reading is not None:
            if entry.links > 1:
                self._twins.remember(entry, reading)
            reading.tell(self._coverage)
        if due.gathering is not None and due.gathering.add(reading.payload if reading is not None else None):
            self._earlier.keep_folder(due.gathering)
        self._sink(self._rows.row(entry, reading))
        for row in reading.rows if reading is not None else ():
            self._sink(row)
        self._count(1, entry.kind == "file", 0 if reading is None else reading.size, entry.path)

    def _emit_kept(self, kept: KeptFolder) -> None:
        """Hand over the rows of a folder of which nothing changed."""
        sink, row, coverage = self._sink, self._rows.owned_row, self._coverage
        files = size = 0
        for entry, reading, owner in zip(*kept, strict=True):
            sink(row(entry, reading, owner))
            if reading is not None:
                files, size = files + 1, size + reading.size
                if reading.coverage is not None:
                    coverage.merge(reading.coverage)
                for found in reading.rows:
                    sink(found)
            elif entry.kind not in ("directory", "symlink"):
                coverage.skip(entry.kind)
        for kind, number in (("files", files), ("bytes", size), ("files-from-cache", files)):
            coverage.examined[kind] += number
        self._count(len(kept.entries), files, size, kept.entries[0].path)

    def _count(self, entries: int, files: int, size: int, path: bytes) -> None:
        """Say how far we are, now and then."""
        before = self._entries // PROGRESS_STEP
        self._entries += entries
        self._files += files
        self._bytes += size
        if self._entries // PROGRESS_STEP != before:
            self._tell_progress(path)

    def _answered(self, due: _Due, batch: Batch) -> Reading:
        """Return what a worker made of a file; one that it did not survive is a miss."""
        answer = batch.answers[due.number]
        if isinstance(answer, Reading):
            return answer
        lost = answer if isinstance(answer, Lost) else None
        if isinstance(answer, bytes):
            self._held_by_pool(-len(answer))
            try:
                reading = decode(answer)
            except ValueError:
                lost = Lost("crashed", "answered nonsense")
            else:
                if due.keep is not None:
                    self._earlier.keep(due.entry, due.keep, reading, answer)
                return reading
        assert lost is not None  # only what is done is emitted
        reading = Reading(coverage=Coverage())
        reading.coverage.miss("files", _shown(due.entry.path), lost.reason, lost.detail)  # type: ignore[union-attr]
        return reading

    def _held_by_pool(self, change: int) -> None:
        if self._pool is not None:
            self._pool.held += change

    def _tell_progress(self, path: bytes) -> None:
        if self._progress is not None:
            self._progress(self._files, self._bytes, _shown(path))

    def _of_twin(self, entry: Entry) -> Reading:
        """Return a reading from another name of the same file; read again where its own digest is wanted."""
        reading = self._twins.reading_of(entry)
        if reading is not None:
            return reading
        if self._reader is not None:
            return self._reader.read(entry)
        assert self._folder is not None  # without workers, entries are emitted as they are taken
        return self._examiner.read(self._folder, entry)


def _preparations(collectors: Sequence[ContentCollector]) -> Iterator[Callable[[], None]]:
    """Yield what loads, once and in this process, what all workers then share."""
    for collector in collectors:
        prepare = getattr(collector, "prepare", None)
        if prepare is not None:
            yield prepare


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shown(path: bytes) -> str:
    return printable(path_text(path))
