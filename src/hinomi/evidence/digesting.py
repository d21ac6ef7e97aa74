"""Threads that read files where nothing is parsed: digest, type and attributes of whole batches by the compiled core.

What parses hostile content runs in processes (`workers.py`). Hashing does not, and the core does it without Python's
lock, so threads do the same for less: folders stay open, nothing is packed, sent and unpacked. A file that never ends
to be read (a dead network file system) costs itself: its thread is left alone, another takes the rest.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from types import ModuleType
from typing import Any

from hinomi.evidence.collector import HEAD_SIZE
from hinomi.evidence.content import FileChangedError, FileTooLargeError
from hinomi.evidence.content_types import content_type
from hinomi.evidence.examiner import miss_content, tell_xattrs
from hinomi.evidence.folders import Folder
from hinomi.evidence.priority import be_nice
from hinomi.evidence.reading import Reading
from hinomi.evidence.smallfiles import OTHER
from hinomi.evidence.view import Entry
from hinomi.evidence.workerloop import IDLE
from hinomi.evidence.workers import POLL_SECONDS, QUEUED, SLOWEST_READ, Batch, Lost
from hinomi.model.findings import Coverage

PATIENCE = 2.0  # seconds for a thread to end in
MAX_FOLDERS = 16  # held open by one batch
_PLACE = struct.Struct("<qdq")  # which file, since when, whether to stop
_STOP = struct.Struct("<q")
_STOP_AT = 16
_ANY_SIZE = (1 << 64) - 1

DigestKind = Callable[[bytes], str | None]


@dataclass(slots=True, eq=False)
class FolderBatch(Batch):
    """Files of open folders, which stay open until all are settled."""

    kinds: list[str | None] = field(default_factory=list)  # which digest the package database has for each
    descriptors: list[int] = field(default_factory=list)  # of each file's folder
    folders: list[Folder] = field(default_factory=list)
    kept: bool = False  # a thread that was given up may still come back to them

    def add_from(self, folder: Folder, entry: Entry, kind: str | None) -> int:
        """Take one more file; return its number."""
        if not self.folders or self.folders[-1] is not folder:
            folder.retain()
            self.folders.append(folder)
        self.kinds.append(kind)
        self.descriptors.append(folder.fd)  # type: ignore[attr-defined]  # of views that are read by descriptor
        return self.add(entry)

    def release(self) -> None:
        """Give back the folders, unless a thread that was given up may still use them."""
        for folder in self.folders:
            if not self.kept:
                folder.release()
        self.folders.clear()


@dataclass(slots=True)
class _Work:
    """A batch and which of its files one thread was given."""

    batch: FolderBatch
    numbers: list[int]
    given_up: bool = False


class _Reader:
    """One thread with what it is at."""

    def __init__(self, pool: DigestThreads) -> None:
        self.place = bytearray(_PLACE.size)
        _PLACE.pack_into(self.place, 0, IDLE, 0.0, 0)
        self.work: _Work | None = None
        self.thread = Thread(target=pool.read, args=(self,), name="hinomi-digests", daemon=True)
        self.thread.start()

    @property
    def at(self) -> tuple[int, float]:
        """Return (which of the files it was given, or -1; since when)."""
        number, since, _ = _PLACE.unpack_from(self.place)
        return number, since

    def stop(self) -> None:
        """Read no further; what it is at is given up at the next block."""
        _STOP.pack_into(self.place, _STOP_AT, 1)


class DigestThreads:
    """Hands batches to threads and collects their answers; the same manners as `WorkerPool`."""

    def __init__(self, core: ModuleType, number: int, limit: int, seconds: float, *, nice: bool = False) -> None:
        """Start `number` threads. Files above `limit` bytes are refused; `seconds` is the time for one small file."""
        self._core = core
        self._limit = limit
        self._seconds = seconds
        self._nice = nice
        self.held = 0  # nothing that waits is large
        self._waiting: SimpleQueue[_Work | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[_Work, Any]] = SimpleQueue()
        self._given: list[FolderBatch] = []
        self._room = number * (QUEUED + 1)
        self._readers = {_Reader(self) for _ in range(number)}

    def has_room(self) -> bool:
        """Whether another batch can be taken."""
        return len(self._given) < self._room

    def submit(self, batch: Batch) -> None:
        """Take a batch."""
        assert isinstance(batch, FolderBatch)  # the pipeline makes them for this
        self._given.append(batch)
        self._waiting.put(_Work(batch, batch.open()))

    def pump(self, *, wait: bool) -> None:
        """Settle what has been read; with `wait`, until something has or half a second has passed."""
        try:
            self._settle(*self._done.get(wait, POLL_SECONDS))
            while True:
                self._settle(*self._done.get_nowait())
        except Empty:
            if wait:
                self._leave_slow()

    def read(self, reader: _Reader) -> None:
        """Read batches until there are none: what each thread does."""
        if self._nice:
            be_nice()
        while (work := self._waiting.get()) is not None:
            reader.work = work
            batch = work.batch
            items = [(batch.descriptors[n], batch.entries[n], OTHER.get(batch.kinds[n] or "", 0)) for n in work.numbers]
            try:
                found = self._core.read_files(items, reader.place, self._limit, HEAD_SIZE, _ANY_SIZE, False)
            except BaseException as error:  # noqa: BLE001 - it is raised again where the answers are awaited
                found = error
            self._done.put((work, found))

    def _settle(self, work: _Work, found: Any) -> None:
        """Take a thread's answers."""
        if work.given_up:
            return
        if isinstance(found, BaseException):
            raise found
        batch = work.batch
        for number, answer in zip(work.numbers, found, strict=True):
            batch.settle(number, _reading(batch.entries[number], batch.kinds[number], answer))
        self._given.remove(batch)
        batch.release()

    def _leave_slow(self) -> None:
        """Give up the threads that spend too long on one file; their folders stay open, for they may return to them."""
        now = time.monotonic()
        for reader in tuple(self._readers):
            (at, since), work = reader.at, reader.work
            if at == IDLE or since <= 0 or work is None or at >= len(work.numbers):
                continue
            number = work.numbers[at]
            allowed = self._seconds + work.batch.entries[number].size / SLOWEST_READ
            if now - since > allowed:
                self._give_up(reader, work)
                work.batch.settle(number, Lost("timeout", f"more than {allowed:.0f} s"))
                self._waiting.put(_Work(work.batch, work.batch.open()))

    def _give_up(self, reader: _Reader, work: _Work) -> None:
        """Let another thread take a thread's place."""
        work.given_up = True
        work.batch.kept = True
        reader.stop()
        self._readers.discard(reader)
        self._readers.add(_Reader(self))

    def left_open(self) -> list[str]:
        """Return which doors of the confinement stay open: nothing is parsed here that would need one."""
        return []

    def close(self) -> None:
        """End the threads after the block that each is at."""
        for reader in self._readers:
            reader.stop()
            self._waiting.put(None)
        for reader in self._readers:
            reader.thread.join(PATIENCE)
            if reader.thread.is_alive() and reader.work is not None:
                reader.work.batch.kept = True
        for batch in self._given:
            batch.release()
        self._readers.clear()


def _reading(entry: Entry, kind: str | None, answer: tuple[Any, ...]) -> Reading:
    """Return what the core made of a file."""
    outcome, size, digest, other, head, xattrs, _ = answer
    if outcome != 0:
        reading = Reading(coverage=Coverage())
        miss_content(reading.coverage, entry.path, _ERRORS.get(outcome, _refused)(outcome))  # type: ignore[arg-type]
        return reading
    sha256 = digest.hex()
    reading = Reading(size, sha256, content_type(head), kind, sha256 if other is None else other.hex())
    if xattrs:
        tell_xattrs(reading, xattrs)
    return reading


def _refused(outcome: int) -> OSError:
    return OSError(outcome, os.strerror(outcome))


_ERRORS: dict[int, Callable[[int], OSError]] = {  # by the core's own numbers, in the words of `Content`
    -1: lambda _: FileChangedError("replaced since it was listed"),
    -2: lambda _: FileChangedError("changes while it is read"),
    -3: lambda _: FileTooLargeError("larger than the limit"),
    -4: lambda _: OSError(errno.EINVAL, "not a regular file"),
    -5: lambda _: FileChangedError("reading was stopped"),
    -6: lambda _: FileChangedError("grows while it is read"),
}
