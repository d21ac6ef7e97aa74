"""What runs inside a worker process: take a batch, answer file by file, never outlive the parent."""

from __future__ import annotations

import marshal
import mmap
import os
import signal
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from hinomi.evidence import scratch
from hinomi.evidence.confinement import DOORS, confine
from hinomi.evidence.priority import be_nice
from hinomi.evidence.view import Entry

Job = Callable[[Entry], bytes]
Rest = Callable[[], None]  # gives back what is kept open from file to file
SLOT = struct.Struct("<qd")  # which file of the batch, since when (monotonic seconds)
ANSWER = struct.Struct("<IQ")  # which file of the batch, bytes that follow
LENGTH = struct.Struct("<Q")
IDLE = -1
FLUSH_BYTES = 64 << 10
FLUSH_SECONDS = 0.05
HEAVY = 96 << 10  # before a file that may take long, what is done is handed over
CPU_SECONDS = 900  # of one batch; a parent that is alive ends a worker long before
GROWN = 72 << 20  # bytes of private memory beyond the first batch's after which a fresh worker takes over ...
GROWN_BATCHES = 8  # ... but not before this many batches
MAX_SCRATCH = (1 << 30) + (1 << 20)  # bytes of one scratch file: what may be unpacked of one member, and a block
BEGUN = 1 << 7  # in a worker's word on its confinement: it has come to that
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a worker may cost."""

    seconds: float  # wall time on one file
    memory: int  # bytes of data beyond what it inherits
    nice: bool = False
    scratch: Path | None = None  # folder for what must be unpacked to be read; None: the system's


def frame_of(files: list[tuple[int, tuple[Any, ...]]]) -> bytes:
    """Return a batch as the worker expects it."""
    body = marshal.dumps(files)
    return LENGTH.pack(len(body)) + body


def serve(
    job: Job, request: int, answer: int, shared: mmap.mmap, slot: int, parent: int, *, bounds: Bounds, told_at: int,
    rest: Rest,
) -> NoReturn:  # fmt: skip
    """Answer batches from `request` on `answer` until there are none; ends the process. After each it may `rest`.

    Its confinement is told in the byte at `told_at`: a bit for each of `DOORS` that is shut, and `BEGUN`.
    """
    try:
        bound_process(parent, bounds.memory)
        if bounds.nice:
            be_nice()
        scratch.prepare(bounds.scratch, slot)
        shut = confine()
        shared[told_at] = BEGUN | sum(1 << bit for bit, door in enumerate(DOORS) if door in shut)
        _Loop(job, request, answer, shared, slot * SLOT.size, rest).run()
    except BaseException:  # noqa: BLE001 - nothing of the parent may run in this process: no handlers, no clean-up
        os._exit(1)
    os._exit(0)


def bound_process(parent: int, memory: int, file_size: int = MAX_SCRATCH) -> None:
    """Limit this process to `memory` bytes more and files of `file_size` bytes, and end it with its parent."""
    import ctypes
    import faulthandler
    import resource

    faulthandler.disable()  # what a crash costs is said in the coverage, not on the terminal
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal signals the whole group; the parent ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "set_wakeup_fd"):
        signal.set_wakeup_fd(-1)
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "prctl"):
        library.prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, file_size)
    _lower(resource.RLIMIT_DATA, _data_size() + memory)


def limit_cpu(seconds: int) -> None:
    """Let this process use that much more of a core's time, then end."""
    import resource

    _lower(resource.RLIMIT_CPU, int(time.process_time()) + seconds)


def _lower(kind: int, value: int) -> None:
    import resource

    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard < 0 else min(value, hard), hard))


def _data_size() -> int:
    """Return the bytes of private writable memory this process has, 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[5]) * mmap.PAGESIZE
    except (OSError, ValueError, IndexError):
        return 0


class _Loop:
    """Reads batches, writes answers."""

    def __init__(self, job: Job, request: int, answer: int, shared: mmap.mmap, offset: int, rest: Rest) -> None:
        self._job = job
        self._rest = rest
        self._request = request
        self._answer = answer
        self._shared = shared
        self._offset = offset
        self._buffer = bytearray()
        self._flushed = 0.0
        self._batches = 0
        self._base = 0

    def run(self) -> None:
        while (head := self._take(LENGTH.size)) is not None:
            body = self._take(LENGTH.unpack(head)[0])
            if body is None:
                return
            limit_cpu(CPU_SECONDS)
            for index, values in marshal.loads(body):  # our own parent wrote it
                self._one(index, Entry(*values))
            self._rest()  # the next batch may come much later, when what was open is another or in the way
            SLOT.pack_into(self._shared, self._offset, IDLE, 0.0)
            self._flush()
            if self._has_grown():
                return

    def _has_grown(self) -> bool:
        """Whether what is remembered and what is lost to fragments is worth a fresh start."""
        self._batches += 1
        if self._batches == 1:
            self._base = _data_size()
        return self._batches >= GROWN_BATCHES and _data_size() > self._base + GROWN

    def _one(self, index: int, entry: Entry) -> None:
        now = time.monotonic()
        if self._buffer and (entry.size > HEAVY or now - self._flushed > FLUSH_SECONDS):
            self._flush()
        SLOT.pack_into(self._shared, self._offset, index, now)
        payload = self._job(entry)
        self._buffer += ANSWER.pack(index, len(payload))
        self._buffer += payload
        if len(self._buffer) > FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        with memoryview(self._buffer) as view:
            sent = 0
            while sent < len(view):
                sent += os.write(self._answer, view[sent:])
        self._buffer.clear()
        self._flushed = time.monotonic()

    def _take(self, size: int) -> bytes | None:
        data = bytearray()
        while len(data) < size:
            part = os.read(self._request, min(size - len(data), 1 << 20))
            if not part:
                return None
            data += part
        return bytes(data)
