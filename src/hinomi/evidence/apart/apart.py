"""The examining side as its user sees it: an image or the images inside a folder, one look after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hinomi.evidence import scratch
from hinomi.evidence.apart.channel import Receiver, Sender, channel
from hinomi.evidence.apart.examination import Examination, Look, Progress, Sink
from hinomi.evidence.apart.processes import (
    CPU_SECONDS,
    OPEN_CPU_SECONDS,
    STALL_SECONDS,
    Lost,
    awaited,
    end,
    forked,
    shut_doors,
)
from hinomi.evidence.apart.pulse import Pulse
from hinomi.evidence.images.inner import InnerImages
from hinomi.evidence.outside import dissect
from hinomi.evidence.reading import coverage_said, coverage_told, row_of
from hinomi.evidence.sources.image import Image, Surroundings
from hinomi.evidence.workerloop import limit_cpu
from hinomi.model.errors import ParseError, TargetError
from hinomi.model.findings import Coverage

MAX_MEMORY = 3 << 30  # bytes that a process may add: two million nodes and what listing them needs
OPENING_FILES = 128  # unpacked streams that are too large for memory


Job = Callable[[Examination, Coverage], None]  # the coverage is what is to be said of the process itself


@dataclass(frozen=True, slots=True)
class How:
    """How images are examined: what looks at one, and within which bounds."""

    look: Look
    room: int  # images in all
    nested: bool = True
    jobs: int = 1
    work: Path | None = None  # folder for unlinked temporary files
    dissect: dissect.Settings | None = field(default=None, repr=False)  # opens what nothing here does


class Apart:
    """Images being examined elsewhere. Ask `opened` first, then take `looks` one by one; `close` in any case."""

    def __init__(self, how: How, job: Job) -> None:
        """Start the process; `job` runs in it, confined."""
        self._pulse = Pulse()
        here, there = channel()
        sender = Sender(there, self._pulse)
        examination = Examination(how.look, sender, self._pulse, MAX_MEMORY, how.room, how.nested)
        self._pid = forked(lambda: _confined(how, examination, job), MAX_MEMORY)
        there.close()
        self._receiver = Receiver(here, self._end_when_stuck)
        self.said = Coverage()  # of the opening
        self._lost: Lost | None = None
        self._open = True

    @classmethod
    def of_file(cls, how: How, open_: Callable[[], Image]) -> Apart:
        """Examine the image that `open_` opens."""
        return cls(how, lambda examination, doors: _file(examination, doors, open_))

    @classmethod
    def of_folder(cls, how: How, around: Surroundings, noted: InnerImages) -> Apart:
        """Examine the images among the files noted of a folder or host."""
        return cls(how, lambda examination, doors: _inside(examination, doors, around, noted))

    def opened(self, place: str) -> Coverage:
        """Wait until all is open that is to be; return what is to be said (`said`). `TargetError` where none is."""
        message = self._next()
        if message is not None and message[0] == "opened":
            self.said = coverage_told(message[1]) or Coverage()
            return self.said
        self.close()
        if message is not None and message[0] == "refused":
            code, where, cause = message[1]
            raise TargetError(code, place=where, cause=cause)
        raise TargetError("target.not-an-image", place=place, cause=": ".join(self.fate))

    def looks(self) -> Iterator[LookApart]:
        """Yield the looks in order, outer ones first; each is to be told before the next is asked for."""
        while (message := self._next()) is not None:
            kind, body = message
            if kind == "begin":
                look = LookApart(self, *map(str, body))
                yield look
                look.skip_rest()
            elif kind == "lost":
                yield LookApart(self, str(body[0]), "image", str(body[0]), lost=(str(body[1]), str(body[2])))
        self.close()

    def _next(self) -> tuple[str, Any] | None:
        """Return the next message; None at the end, orderly or not."""
        if not self._open:
            return None
        try:
            message = self._receiver.receive()
        except (ValueError, TypeError) as error:
            self._lost = Lost("crashed", f"answered nonsense: {error}"[:200])
            self.close()
            return None
        if message is None:
            self._lost = self._lost or awaited(self._pid, self._pulse, 0)
            self._open = False
            self._receiver.close()
        return message

    @property
    def fate(self) -> Lost:
        """What ended the examination before its time."""
        return self._lost or Lost("crashed", "the examining process ended early")

    def _end_when_stuck(self) -> None:
        if self._pulse.quiet > STALL_SECONDS + 60:
            self._lost = Lost("timeout", f"nothing for {STALL_SECONDS:.0f} s")
            end(self._pid)

    def close(self) -> None:
        """End the processes."""
        if self._open:
            self._open = False
            end(self._pid)
            self._receiver.close()


class LookApart:
    """One image as it is looked at. `tell` hands over its rows."""

    def __init__(self, apart: Apart, name: str, kind: str, host: str, *, lost: tuple[str, str] | None = None) -> None:
        self.name = name
        self.kind = kind
        self.host = host
        self._apart = apart
        self._lost = lost
        self._done = lost is not None

    def tell(self, sink: Sink, coverage: Coverage, progress: Progress | None = None) -> None:
        """Hand every row to `sink`; an image that was lost, or the rest of it, is a miss in `coverage`."""
        while not self._done:
            message = self._apart._next()
            kind, body = message if message is not None else ("lost", [self.name, *self._apart.fate])
            self._take(kind, body, sink, coverage, progress)
        if self._lost is not None:
            coverage.miss("images", self.name, *self._lost)

    def _take(self, kind: str, body: Any, sink: Sink, coverage: Coverage, progress: Progress | None) -> None:
        if kind == "rows":
            for values in body:
                sink(row_of(values))
        elif kind == "progress" and progress is not None:
            progress(int(body[0]), int(body[1]), str(body[2]))
        elif kind == "end":
            coverage.merge(coverage_told(body) or Coverage())
            self._done = True
        elif kind == "lost":
            self._lost = (str(body[1]), str(body[2]))
            self._done = True

    def skip_rest(self) -> None:
        """Pass over what nobody asked for."""
        self.tell(lambda _: None, Coverage())


def _confined(how: How, examination: Examination, job: Job) -> None:
    scratch.reserve(how.work, OPENING_FILES, how.jobs)
    doors = Coverage()
    _prepare_dissect(how, doors)
    doors.merge(shut_doors())
    examination.pulse.beat()
    job(examination, doors)


def _prepare_dissect(how: How, doors: Coverage) -> None:
    """Start what opens more kinds, while programs may still be started; where it cannot be, they stay closed."""
    try:
        dissect.prepare(how.dissect)
    except ParseError as error:
        doors.miss("images", "dissect", "unsupported", error.cause)


def _file(examination: Examination, doors: Coverage, open_: Callable[[], Image]) -> None:
    limit_cpu(OPEN_CPU_SECONDS)
    examination.pulse.hold()  # unpacking gives no sign of life; its bound is the time of the processor
    try:
        image = open_()
    except TargetError as error:
        examination.sender.send("refused", [error.code, error.place, error.cause])
        return
    limit_cpu(CPU_SECONDS)
    examination.pulse.count(1 + len(image.beside))
    examination.sender.send("opened", coverage_said(doors))
    examination.run([image, *image.beside])


def _inside(examination: Examination, doors: Coverage, around: Surroundings, noted: InnerImages) -> None:
    waiting = examination.inside(around, noted, doors)
    examination.sender.send("opened", coverage_said(doors))
    examination.release(waiting)
