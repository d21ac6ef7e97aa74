"""A target that is a file, or holds another tool's collection, read for a baseline by a confined process.

Its parsers are what a crafted image speaks to: they have no network, write nothing, and may be lost. That process
answers one question at a time; what it says is only ever data.
"""

from __future__ import annotations

import errno
import io
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

from hinomi.evidence import scratch
from hinomi.evidence.apart.apart import MAX_MEMORY, OPENING_FILES
from hinomi.evidence.apart.channel import Receiver, Sender, channel
from hinomi.evidence.apart.processes import STALL_SECONDS, Lost, awaited, end, forked, shut_doors
from hinomi.evidence.apart.pulse import Pulse
from hinomi.evidence.integrity.crossview import HiddenEntry
from hinomi.evidence.integrity.measure import Progress
from hinomi.evidence.integrity.measured import Measured
from hinomi.evidence.options import ScanOptions
from hinomi.evidence.reading import coverage_said, coverage_told
from hinomi.flow.apart import is_opened_apart
from hinomi.flow.baseline_target import BaselineTarget, Looked, Row, no_collector, open_here
from hinomi.flow.scanning import DEFAULTS
from hinomi.model.errors import ParseError, TargetError
from hinomi.model.findings import Coverage
from hinomi.store.case import Case
from hinomi.watch.baseline.world import Inside, Owner

ROWS = 256  # in one message
PART = 1 << 18
MAX_OPEN = 64
_NONSENSE = (ValueError, TypeError, KeyError, IndexError)


@contextmanager
def look_at(
    case: Case, name: str, *, kind: str | None = None, options: ScanOptions = DEFAULTS
) -> Iterator[BaselineTarget]:
    """Open a target, and close it in the end; its own case is left out of it."""
    if not is_opened_apart(name):
        yield open_here(name, case.path, kind=kind, options=options)
        return
    apart = LookedApart(lambda: open_here(name, case.path, kind=kind, options=options), name, case.path)
    try:
        yield apart
    finally:
        apart.close()


class LookedApart:
    """The target as its user sees it: every question is answered by the process that has it open."""

    def __init__(self, open_: Callable[[], Looked], name: str, work: Path) -> None:
        """Start the process and wait until the target is open; `TargetError` where it is not."""
        self._place = name
        self._pulse = Pulse()
        self._lost: Lost | None = None
        self._open = True
        here, there = channel()
        self._pid = forked(lambda: _Answering(there, self._pulse).run(open_, work), MAX_MEMORY)
        there.close()
        self._asking = Sender(here, Pulse())
        self._answers = Receiver(here, self._end_when_stuck)
        self.coverage = Coverage()
        self.name, self.host, self.kind = map(str, self._all("opened"))

    # --- implements BaselineTarget --------------------------------------------------------------------------------

    def packages(self) -> dict[str, str]:
        """Return what the target's package databases vouch for."""
        return {str(name): str(value) for name, value in self._asked("packages").items()}

    def rows(self, *, owners: bool, progress: Progress | None = None) -> Iterator[Row]:
        """Measure every entry, those of images within it too; `owners` are asked where they are wanted."""
        return self._rows(progress, "rows", owners)

    def rows_again(self, paths: Sequence[bytes], *, owners: bool) -> Iterator[Row]:
        """Measure single entries by path; those that are gone are left out."""
        return self._rows(None, "rows_again", list(paths), owners)

    def hidden(self, gone: Sequence[bytes], *, raw: bool) -> list[HiddenEntry]:
        """Return nothing: an image is read past any kernel's listing."""
        return []

    # --- implements hinomi.watch.baseline.world.Reader ------------------------------------------------------------

    def open(self, path: bytes) -> BinaryIO:
        """Open a regular file by the path that its row has."""
        return io.BufferedReader(_Remote(self, int(self._read("open", path))), PART)

    def owner(self, path: bytes) -> Owner | None:
        """Return who owns a path now."""
        found = self._known("owner", path)
        return None if found is None else Owner(*found)

    def digest(self, path: bytes, kind: str) -> str:
        """Return a file's digest of one kind in hex."""
        return str(self._read("digest", path, kind))

    def members(self, path: bytes) -> list[Inside] | None:
        """Return all that an image of the target holds."""
        return self._inside("members", path)

    def control(self, path: bytes) -> list[Inside] | None:
        """Return the control members of a Debian package file."""
        return self._inside("control", path)

    def _inside(self, what: str, path: bytes) -> list[Inside] | None:
        found = self._known(what, path)
        return None if found is None else [Inside(*one) for one in found]

    # --- questions ------------------------------------------------------------------------------------------------

    def ask_part(self, handle: int, size: int) -> bytes:
        """Return the next bytes of an open file, at most `size`."""
        data = self._read("read", handle, size)
        return data if isinstance(data, bytes) else b""

    def ask_closing(self, handle: int) -> None:
        """Give back an open file."""
        self._known("close", handle)

    def _read(self, what: str, *words: object) -> Any:
        """Ask for content; a target that was lost meanwhile cannot be read, which its coverage says."""
        try:
            return self._asked(what, *words)
        except TargetError as error:
            raise OSError(errno.EIO, error.cause) from error

    def _known(self, what: str, *words: object) -> Any:
        """Ask for what an explanation may rest on; of a target that was lost meanwhile nothing is known."""
        try:
            return self._asked(what, *words)
        except TargetError:
            return None

    def _asked(self, what: str, *words: object) -> Any:
        self._ask(what, *words)
        return self._all("answer")

    def _rows(self, progress: Progress | None, what: str, *words: object) -> Iterator[Row]:
        self._ask(what, *words)
        while True:
            kind, body = self._next()
            if kind not in ("rows", "progress"):
                self._take(kind, body, "answer")
                return
            with self._sense():
                some = [_row(*one) for one in body] if kind == "rows" else []
                if kind == "progress" and progress is not None:
                    progress(int(body[0]), int(body[1]), str(body[2]))
            yield from some

    def _ask(self, what: str, *words: object) -> None:
        if not self._open:
            raise self._gone()
        with suppress(BrokenPipeError):  # why it ended is learned from its silence
            self._asking.send(what, list(words))

    def _all(self, wanted: str) -> Any:
        return self._take(*self._next(), wanted)

    def _take(self, kind: str, body: Any, wanted: str) -> Any:
        """Return what an answer holds; the coverage that came with it is kept."""
        if kind == "refused":
            self.close()
            raise TargetError(str(body[0]), place=str(body[1]), cause=str(body[2]))
        if kind == "failed":
            raise OSError(int(body[0]), str(body[1]))
        with self._sense():
            if kind != wanted:
                raise ValueError(kind)
            self.coverage.merge(coverage_told(body[1]) or Coverage())
            return body[0]

    @contextmanager
    def _sense(self) -> Iterator[None]:
        """End a process that says what cannot be meant."""
        try:
            yield
        except _NONSENSE as error:
            self._end(Lost("crashed", f"answered nonsense: {error}"[:200]))
            raise self._gone() from error

    def _next(self) -> tuple[str, Any]:
        with self._sense():
            message = self._answers.receive()
        if message is None:
            lost = self._lost or awaited(self._pid, self._pulse, 0)
            self._reaped()
            self._end(lost or Lost("crashed", "ended early"))
            raise self._gone()
        return message

    def _gone(self) -> TargetError:
        lost = self._lost or Lost("crashed", "ended early")
        return TargetError("target.lost", place=self._place, cause=f"{lost.reason}: {lost.detail}")

    def _end_when_stuck(self) -> None:
        if self._pulse.quiet > STALL_SECONDS:
            self._lost = Lost("timeout", f"nothing for {STALL_SECONDS:.0f} s")
            end(self._pid)

    def _end(self, lost: Lost) -> None:
        self._lost = self._lost or lost
        self.coverage.miss("baseline", self._place, *self._lost)
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._open:
            end(self._pid)
            self._reaped()

    def _reaped(self) -> None:
        """Forget the process: its number may be another's by now."""
        self._open = False
        self._answers.close()


_KINDS = tuple(get_type_hints(Measured).values())


def _row(values: list[Any], owner: str | None) -> Row:
    """Return a row as it was said; `TypeError` where a field is not of its kind."""
    row = Measured(*values)
    if not all(map(isinstance, row, _KINDS)) or not isinstance(owner, str | None):
        raise TypeError("a row of other kinds")
    return row, owner


class _Remote(io.RawIOBase):
    """A file of the target, read part by part."""

    def __init__(self, apart: LookedApart, handle: int) -> None:
        super().__init__()
        self._apart, self._handle = apart, handle

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._apart.ask_part(self._handle, min(len(buffer), PART))[: len(buffer)]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._apart.ask_closing(self._handle)
        super().close()


class _Answering:
    """The process: it opens the target, gives up what it does not need, and answers until nobody asks."""

    def __init__(self, end: socket.socket, pulse: Pulse) -> None:
        self._sender, self._questions = Sender(end, pulse), Receiver(end, lambda: None)
        self._pulse = pulse
        self._files: dict[int, BinaryIO] = {}
        self._number = 0

    def run(self, open_: Callable[[], Looked], work: Path) -> None:
        """Answer."""
        scratch.reserve(work, OPENING_FILES, 1)
        doors = shut_doors()
        self._pulse.hold()  # unpacking gives no sign of life; its bound is the time of the processor
        try:
            looked = open_()
        except TargetError as error:
            self._sender.send("refused", [error.code, error.place, error.cause])
            return
        looked.coverage.merge(doors)
        self._answer(looked, "opened", [looked.name, looked.host, looked.kind])
        self._pulse.hold()
        while (question := self._questions.receive()) is not None:
            self._pulse.beat()
            self._reply(looked, *question)
            self._pulse.hold()

    def _reply(self, looked: Looked, what: str, words: list[Any]) -> None:
        try:
            self._answer(looked, "answer", getattr(self, f"_of_{what}")(looked, *words))
        except OSError as error:
            self._sender.send("failed", [error.errno or errno.EIO, str(error)])
        except ParseError as error:
            self._sender.send("failed", [errno.EIO, str(error)])

    def _answer(self, looked: Looked, kind: str, body: Any) -> None:
        said, looked.coverage = looked.coverage, Coverage()
        self._sender.send(kind, [body, coverage_said(said)])

    def _send_rows(self, rows: Iterator[Row]) -> None:
        with no_collector():
            while some := [[list(row), owner] for row, owner in islice(rows, ROWS)]:
                self._sender.send("rows", some)

    # --- the answers ----------------------------------------------------------------------------------------------

    def _of_packages(self, looked: Looked) -> dict[str, str]:
        return looked.packages()

    def _of_rows(self, looked: Looked, owners: bool) -> None:
        self._send_rows(looked.rows(owners=owners, progress=self._progress))

    def _progress(self, files: int, size: int, path: str) -> None:
        self._sender.send("progress", [files, size, path])

    def _of_rows_again(self, looked: Looked, paths: list[bytes], owners: bool) -> None:
        self._send_rows(looked.rows_again(paths, owners=owners))

    def _of_open(self, looked: Looked, path: bytes) -> int:
        if len(self._files) >= MAX_OPEN:
            raise OSError(errno.EMFILE, "too many open files")
        self._number += 1
        self._files[self._number] = looked.open(path)
        return self._number

    def _of_read(self, _: Looked, handle: int, size: int) -> bytes:
        return self._files[handle].read(size)

    def _of_close(self, _: Looked, handle: int) -> None:
        self._files.pop(handle).close()

    def _of_owner(self, looked: Looked, path: bytes) -> list[str | None] | None:
        found = looked.owner(path)
        return None if found is None else list(found)

    def _of_digest(self, looked: Looked, path: bytes, kind: str) -> str:
        return looked.digest(path, kind)

    def _of_members(self, looked: Looked, path: bytes) -> list[list[Any]] | None:
        found = looked.members(path)
        return None if found is None else [list(one) for one in found]

    def _of_control(self, looked: Looked, path: bytes) -> list[list[Any]] | None:
        found = looked.control(path)
        return None if found is None else [list(one) for one in found]
