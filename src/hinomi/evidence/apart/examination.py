"""What runs in the processes apart: open, look, go on with what is found inside."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from hinomi.evidence.apart.channel import Sender
from hinomi.evidence.apart.processes import CPU_SECONDS, OPEN_CPU_SECONDS, Lost, awaited, end, forked
from hinomi.evidence.apart.pulse import Pulse
from hinomi.evidence.images.ext import ExtTree
from hinomi.evidence.images.extleft import leftovers
from hinomi.evidence.images.inner import Candidate, InnerImages
from hinomi.evidence.reading import coverage_said, coverage_told, row_values
from hinomi.evidence.sources.image import Image, Surroundings, inner_targets, open_inner, say_notes
from hinomi.evidence.workerloop import limit_cpu
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row

ROWS = 256  # in one message
OPEN_SECONDS = 3 * OPEN_CPU_SECONDS  # of the clock: the machine may be busy
PROGRESS_SECONDS = 0.2

Sink = Callable[[Row], None]
Progress = Callable[[int, int, str], None]
Look = Callable[[Image, Sink, Coverage, Progress], None]


class _Waiting(NamedTuple):
    """A process that has opened an image and waits for its turn."""

    pid: int
    go: int
    name: str


@dataclass(frozen=True, slots=True)
class Examination:
    """Looks at images; each in a process of its own, and what is found inside in further ones."""

    look: Look
    sender: Sender
    pulse: Pulse
    memory: int  # bytes a process may add
    room: int  # images in all
    nested: bool
    level: int = 0

    def run(self, images: list[Image]) -> None:
        """Examine trees that are open in this process."""
        for image in images:
            target = image.target
            self.sender.send("begin", [target.name, target.kind, target.host])
            pid = forked(lambda one=image: self._one(one), self.memory)  # type: ignore[misc]
            self._say(target.name, awaited(pid, self.pulse, self.level))

    def _say(self, name: str, lost: Lost | None) -> None:
        if lost is not None:
            self.sender.send("lost", [name, *lost])

    def _one(self, image: Image) -> None:
        coverage, noted, rows = Coverage(), InnerImages(), _Rows(self.sender)
        rows.add(image.row)

        def sink(row: Row) -> None:
            rows.add(row)
            noted.take(row)

        self.look(image, sink, coverage, _Beating(self.sender, self.pulse, rows))
        for row in _left_over(image):
            rows.add(row)
        waiting = self.inside(Surroundings.of_image(image), noted, coverage) if self.nested else []
        say_notes(image, coverage)
        rows.flush()
        self.sender.send("end", coverage_said(coverage))
        self.release(waiting)

    # --- what is found inside -------------------------------------------------------------------------------------

    def inside(self, around: Surroundings, noted: InnerImages, coverage: Coverage) -> list[_Waiting]:
        """Open what a target holds, each in a process that then waits; what stays closed is in the coverage."""
        return inner_targets(around, noted, coverage, self.room - self.pulse.opened, self._open_apart)

    def release(self, waiting: list[_Waiting]) -> None:
        """Let those that wait do their work, one after the other."""
        for one in waiting:
            with suppress(BrokenPipeError):
                os.write(one.go, b"1")
            os.close(one.go)
            self._say(one.name, awaited(one.pid, self.pulse, self.level + 1))

    def _open_apart(
        self, around: Surroundings, candidate: Candidate, shown: str, coverage: Coverage
    ) -> _Waiting | None:
        said, say = os.pipe()
        wait, go = os.pipe()
        pid = forked(lambda: self._opened(around, candidate, shown, (said, say, wait, go)), self.memory)
        os.close(say)
        os.close(wait)
        answer = self._answer(pid, said, OPEN_SECONDS)
        os.close(said)
        if isinstance(answer, Lost):
            coverage.miss("images", shown, *answer)
        else:
            number, around.allowance.bytes_left, around.bytes_left, told = answer
            coverage.merge(coverage_told(told) or Coverage())
            if number:
                self.pulse.count(number)
                return _Waiting(pid, go, shown)
            awaited(pid, self.pulse, self.level + 1)
        os.close(go)
        return None

    def _answer(self, pid: int, said: int, seconds: float) -> list[Any] | Lost:
        """Return what a child says of its opening."""
        until = time.monotonic() + seconds
        data = bytearray()
        while not data.endswith(b"\n"):
            if not select.select([said], [], [], 1.0)[0]:
                if time.monotonic() > until:
                    end(pid)
                    return Lost("timeout", f"not opened within {seconds:.0f} s")
                self.pulse.beat()
                continue
            part = os.read(said, 1 << 16)
            if not part:
                return awaited(pid, self.pulse, self.level + 1) or Lost("crashed", "ended without a word")
            data += part
        answer: list[Any] = json.loads(data)
        return answer

    def _opened(self, around: Surroundings, candidate: Candidate, shown: str, pipes: tuple[int, int, int, int]) -> None:
        """The child: open, say so, wait for the turn."""
        said, say, wait, go = pipes
        os.close(said)
        os.close(go)
        coverage = Coverage()
        limit_cpu(OPEN_CPU_SECONDS)
        image = open_inner(around, candidate, shown, coverage)
        images = [] if image is None else [image, *image.beside]
        answer = [len(images), around.allowance.bytes_left, around.bytes_left, coverage_said(coverage)]
        limit_cpu(CPU_SECONDS)
        _write_all(say, json.dumps(answer).encode() + b"\n")
        os.close(say)
        if images and os.read(wait, 1):
            replace(self, level=self.level + 2).run(images)


def _left_over(image: Image) -> Iterator[Row]:
    """Yield what deletions left in an image of a kind that tells."""
    if isinstance(image.tree, ExtTree):
        yield from leftovers(image.row.path, image.tree)


class _Rows:
    """Rows on their way, some at a time."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._rows: list[list[Any]] = []

    def add(self, row: Row) -> None:
        self._rows.append(row_values(row))
        if len(self._rows) >= ROWS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._sender.send("rows", self._rows)
        self._rows = []


class _Beating:
    """Progress: a sign of life each time, a message now and then; what is done so far is handed over with it."""

    def __init__(self, sender: Sender, pulse: Pulse, rows: _Rows) -> None:
        self._rows = rows
        self._sender = sender
        self._pulse = pulse
        self._sent = 0.0

    def __call__(self, files: int, size: int, path: str) -> None:
        self._pulse.beat()
        self._rows.flush()
        if time.monotonic() - self._sent > PROGRESS_SECONDS:
            self._sender.send("progress", [files, size, path])
            self._sent = time.monotonic()


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
