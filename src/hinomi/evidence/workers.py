"""Worker processes that read files: as many as there are cores, each costing at most one file when it dies or hangs.

Everything here runs in the calling thread: one `select` loop, no threads, so forking is safe and an interrupt ends
it at once. A worker streams one answer per file; which file it is at stands in a word of shared memory.
"""

from __future__ import annotations

import gc
import mmap
import os
import selectors
import signal
import struct
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from hinomi.evidence.confinement import DOORS
from hinomi.evidence.forking import fork
from hinomi.evidence.reading import Reading
from hinomi.evidence.view import Entry
from hinomi.evidence.workerloop import ANSWER, BEGUN, IDLE, SLOT, Bounds, Job, Rest, frame_of, serve

QUEUED = 2  # batches a worker has at once: it never waits for the walk
MAX_ANSWER = 512 << 20
MAX_BARREN = 3  # workers that die before they begin a file
SLOWEST_READ = 8 << 20  # bytes a second a disk is expected to give at least
POLL_SECONDS = 0.5


def _nothing() -> None:
    """Give nothing back."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Instead of an answer: the worker died at, or spent too long on, this file."""

    reason: str  # crashed or timeout
    detail: str


@dataclass(slots=True)
class Batch:
    """Files handed out together. `answers[i]` is None until file `i` is settled."""

    entries: list[Entry] = field(default_factory=list)
    answers: list[bytes | Reading | Lost | None] = field(default_factory=list)
    left: int = 0  # files that still wait for an answer

    def add(self, entry: Entry) -> int:
        """Take one more file before the batch is handed out; return its number."""
        self.entries.append(entry)
        self.answers.append(None)
        self.left += 1
        return len(self.entries) - 1

    def settle(self, index: int, answer: bytes | Reading | Lost) -> None:
        """Take a file's answer."""
        self.left -= self.answers[index] is None
        self.answers[index] = answer

    def open(self) -> list[int]:
        """Return the files that still wait for an answer."""
        return [index for index, answer in enumerate(self.answers) if answer is None]


class _Worker:
    """One process with its two pipes."""

    def __init__(self, job: Job, rest: Rest, slot: int, shared: mmap.mmap, bounds: Bounds, told_at: int) -> None:
        self.slot = slot
        self._shared = shared
        SLOT.pack_into(shared, slot * SLOT.size, IDLE, 0.0)
        request, self.send = os.pipe()
        self.receive, answer = os.pipe()
        parent = os.getpid()
        self.pid = fork()
        if self.pid == 0:
            os.close(self.send)
            os.close(self.receive)
            serve(job, request, answer, shared, slot, parent, bounds=bounds, told_at=told_at, rest=rest)
        os.close(request)
        os.close(answer)
        os.set_blocking(self.send, False)
        os.set_blocking(self.receive, False)
        self.batches: deque[Batch] = deque()
        self.outgoing = bytearray()
        self.incoming = bytearray()
        self.born_at_work = False

    @property
    def at(self) -> tuple[int, float]:
        """Return (file it is at or -1, since when)."""
        index, since = SLOT.unpack_from(self._shared, self.slot * SLOT.size)
        return index, since

    def end(self) -> int:
        """Kill, reap and close; return the wait status."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        status = 0
        with suppress(ChildProcessError):
            _, status = os.waitpid(self.pid, 0)
        os.close(self.send)
        os.close(self.receive)
        return status


class WorkerPool:
    """Hands batches to workers and collects their answers. Use `submit` while `has_room`, and `pump` in between."""

    def __init__(
        self, job: Job, number: int, bounds: Bounds, here: Callable[[Entry], bytes], rest: Rest = _nothing
    ) -> None:
        """Start `number` processes, which `rest` after each batch. `here` examines a file in this process, should no
        worker stay alive."""
        self._job = job
        self._rest = rest
        self._bounds = bounds
        self._here = here
        self.held = 0  # bytes of answers that nobody has taken yet; whoever takes one subtracts it
        self._told_at = SLOT.size * number  # behind the slots: a byte of each worker on its confinement
        self._shared = mmap.mmap(-1, (SLOT.size + 1) * number)
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []
        self._barren = 0
        gc.collect()
        try:
            for slot in range(number):
                self._start(slot)
        except BaseException:
            self.close()
            raise

    def _start(self, slot: int) -> None:
        gc.freeze()  # collections in a child would copy every page of what it shares with us
        try:
            worker = _Worker(self._job, self._rest, slot, self._shared, self._bounds, self._told_at + slot)
        except OSError:  # no more processes allowed: the others do the work
            return
        finally:
            gc.unfreeze()
        self._workers.append(worker)
        self._selector.register(worker.receive, selectors.EVENT_READ, worker)

    def has_room(self) -> bool:
        """Whether a worker can take another batch."""
        return not self._workers or any(len(worker.batches) < QUEUED for worker in self._workers)

    def submit(self, batch: Batch) -> None:
        """Hand a batch to the worker with least to do."""
        if not self._workers:
            for index in batch.open():
                answer = self._here(batch.entries[index])
                batch.settle(index, answer)
                self.held += len(answer)
            return
        self._give(min(self._workers, key=lambda worker: len(worker.batches)), batch)

    def _give(self, worker: _Worker, batch: Batch) -> None:
        worker.batches.append(batch)
        worker.outgoing += frame_of([(index, tuple(batch.entries[index])) for index in batch.open()])
        self._send(worker)

    def _send(self, worker: _Worker) -> None:
        try:
            while worker.outgoing:
                with memoryview(worker.outgoing) as view:
                    sent = os.write(worker.send, view[: 1 << 16])
                del worker.outgoing[:sent]
        except BlockingIOError:
            pass
        except BrokenPipeError:  # it died; its answers' pipe says so too
            worker.outgoing.clear()

    def pump(self, *, wait: bool) -> None:
        """Take what workers have answered; with `wait`, until something happens or half a second has passed."""
        if any(worker.outgoing for worker in self._workers):
            for worker in self._workers:
                self._send(worker)
        for key, _ in self._selector.select(POLL_SECONDS if wait else 0):
            self._receive(key.data)
        if wait:
            self._end_slow()

    def _receive(self, worker: _Worker) -> None:
        while True:
            try:
                data = os.read(worker.receive, 1 << 18)
            except BlockingIOError:
                break
            if not data:
                self._died(worker, None)
                return
            worker.incoming += data
            if len(data) < 1 << 16:
                break
        if not self._answers(worker):
            self._died(worker, Lost("crashed", "answered nonsense"))

    def _answers(self, worker: _Worker) -> bool:
        """Settle what has arrived whole; False where it makes no sense."""
        position = 0
        data = worker.incoming
        while len(data) - position >= ANSWER.size:
            index, size = ANSWER.unpack_from(data, position)
            if size > MAX_ANSWER or not worker.batches or index >= len(worker.batches[0].answers):
                return False
            if len(data) - position - ANSWER.size < size:
                break
            position += ANSWER.size
            self._settle(worker, index, bytes(data[position : position + size]))
            position += size
        del data[:position]
        return True

    def _settle(self, worker: _Worker, index: int, answer: bytes) -> None:
        worker.born_at_work = True
        self._barren = 0
        batch = worker.batches[0]
        batch.settle(index, answer)
        self.held += len(answer)
        if not batch.left:
            worker.batches.popleft()

    def _end_slow(self) -> None:
        """End the workers that spend too long on one file."""
        now = time.monotonic()
        for worker in tuple(self._workers):
            index, since = worker.at
            # a word read while the worker writes it is all zeros: file 0, since ever
            if index == IDLE or since <= 0 or not worker.batches:
                continue
            size = worker.batches[0].entries[index].size if index < len(worker.batches[0].entries) else 0
            allowed = self._bounds.seconds + size / SLOWEST_READ
            if now - since > allowed:
                self._died(worker, Lost("timeout", f"more than {allowed:.0f} s"))

    def _died(self, worker: _Worker, lost: Lost | None) -> None:
        """Bury a worker: the file it was at is lost, the rest of its batches goes to another in its place.

        One that has grown large between two batches ends by itself, and nothing is lost.
        """
        index, _ = worker.at
        self._selector.unregister(worker.receive)
        self._workers.remove(worker)
        status = worker.end()
        batches = worker.batches
        if lost is None:
            lost = Lost("crashed", _cause(status))
        if batches and 0 <= index < len(batches[0].answers) and batches[0].answers[index] is None:
            batches[0].settle(index, lost)
        else:
            self._barren += not worker.born_at_work
        if self._barren < MAX_BARREN:
            self._start(worker.slot)
        for batch in batches:
            if batch.left:
                self.submit(batch)

    def left_open(self) -> list[str]:
        """Return which of `DOORS` stayed open in any worker so far."""
        told = [word for word in self._shared[self._told_at :] if word & BEGUN]
        return [door for bit, door in enumerate(DOORS) if any(not word >> bit & 1 for word in told)]

    def close(self) -> None:
        """End all workers, whatever they are at."""
        while self._workers:
            worker = self._workers.pop()
            self._selector.unregister(worker.receive)
            worker.end()
        self._selector.close()
        self._shared.close()


def _cause(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with suppress(ValueError):
            return f"the reading process ended by {signal.Signals(number).name}"
        return f"the reading process ended by signal {number}"
    return f"the reading process ended with status {os.waitstatus_to_exitcode(status)}"


assert struct.calcsize("<qd") == SLOT.size  # one aligned word each: written by one side, read by the other
