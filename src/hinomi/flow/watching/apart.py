"""Do one thing in a process of its own: its memory is given back, and its crash or hang costs that one thing."""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from hinomi.evidence.forking import fork
from hinomi.watch.live.syscalls import end_with

T = TypeVar("T")
PULSE = 0.5


class ApartError(Exception):
    """The other process gave no answer: why."""


def apart(function: Callable[[], T], seconds: float, meanwhile: Callable[[], None] | None = None) -> T:
    """Return what `function` returns in a forked process, which ends with this one.

    `meanwhile` is called every half second; what it raises ends the other process.

    `OSError` of the function is raised here as it was there; anything else that keeps it from answering within
    `seconds` is an `ApartError`.
    """
    other = Other(function)
    try:
        result = other.answer(time.monotonic() + seconds, meanwhile)
    finally:
        other.end()
    if isinstance(result, OSError | ApartError):
        raise result
    return result  # type: ignore[no-any-return]


class Other:
    """One forked process and the pipe that its answer comes by; it must be ended."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._receive, answer = os.pipe()
        parent = os.getpid()
        self._pid = fork()
        if self._pid == 0:
            os.close(self._receive)
            end_with(parent)
            _answer(function, answer)
        os.close(answer)

    def fileno(self) -> int:
        """Return the pipe, which can be read from once it answers."""
        return self._receive

    def answer(self, until: float, meanwhile: Callable[[], None] | None = None) -> Any:
        """Return what it answers by `until` (monotonic), or why it does not."""
        try:
            data = _read(self._receive, until, meanwhile)
        except ApartError as error:
            return error
        if not data:
            return ApartError(f"ended with status {self.end()}")
        result = pickle.loads(data)  # our own child's
        return ApartError(result.cause) if isinstance(result, _Failed) else result

    def end(self) -> int:
        """End it whatever it is at, give everything back, and return how it ended."""
        if self._pid == 0:
            return 0
        os.close(self._receive)
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return os.waitstatus_to_exitcode(status)


class _Failed:
    def __init__(self, cause: str) -> None:
        self.cause = cause


def _answer(function: Callable[[], object], answer: int) -> None:
    """Run in the child; never returns."""
    try:
        result: object
        try:
            result = function()
        except OSError as error:
            result = OSError(error.errno, error.strerror)
        except Exception as error:  # noqa: BLE001 - the border of one judgement
            result = _Failed(f"{type(error).__name__}: {error}")
        with os.fdopen(answer, "wb") as file:
            pickle.dump(result, file, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)


def _read(receive: int, until: float, meanwhile: Callable[[], None] | None) -> bytes:
    parts: list[bytes] = []
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise ApartError("took too long")
        ready, _, _ = select.select([receive], [], [], min(left, PULSE))
        if meanwhile is not None:
            meanwhile()
        if not ready:
            continue
        part = os.read(receive, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
