"""Processes that may die: forked, bounded, watched, and what became of them in words."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from hinomi.evidence.apart.pulse import Pulse
from hinomi.evidence.confinement import DOORS, confine
from hinomi.evidence.forking import fork
from hinomi.evidence.images.allowance import MAX_UNPACKED
from hinomi.evidence.workerloop import bound_process, limit_cpu
from hinomi.model.findings import Coverage

STALL_SECONDS = 300.0  # without a row or a file read
LEVEL_SECONDS = 15.0  # the innermost waiting process is to act first
CPU_SECONDS = 7200
OPEN_CPU_SECONDS = 2400  # opening may unpack up to 64 GiB
SLEEPS = (0.001, 0.005, 0.02, 0.05)


class Lost(NamedTuple):
    """What ended a process before its time: crashed or timeout, and the cause in words."""

    reason: str
    detail: str


def forked(job: Callable[[], None], memory: int) -> int:
    """Run `job` in a child that ends with this process; return its number. `memory` is what it may add, in bytes."""
    parent = os.getpid()
    gc.collect()
    gc.freeze()
    pid = fork()
    if pid:
        gc.unfreeze()
        return pid
    try:
        bound_process(parent, memory, MAX_UNPACKED)
        limit_cpu(CPU_SECONDS)
        job()
    except BaseException:  # noqa: BLE001 - nothing of the parent may run in this process: no handlers, no clean-up
        os._exit(1)
    os._exit(0)


def shut_doors() -> Coverage:
    """Confine this process; return what is to be said of the doors that its kernel does not have."""
    said, shut = Coverage(), confine()
    for door in DOORS:
        if door not in shut:
            said.skip(f"workers-without-{door}")
    return said


def awaited(pid: int, pulse: Pulse, level: int) -> Lost | None:
    """Wait for a child, and end it when nothing moves; `level` counts the processes between it and the outermost."""
    patience = STALL_SECONDS - level * LEVEL_SECONDS
    sleeps = iter(SLEEPS)
    pause = 0.0
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return None if status == 0 else Lost(*_told(status))
        if pulse.quiet > patience:
            end(pid)
            pulse.beat()
            return Lost("timeout", f"nothing for {patience:.0f} s")
        pause = next(sleeps, pause)
        time.sleep(pause)


def end(pid: int) -> None:
    """Kill and reap a child; what it started ends with it."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _told(status: int) -> tuple[str, str]:
    if not os.WIFSIGNALED(status):
        return "crashed", f"the examining process ended with status {os.waitstatus_to_exitcode(status)}"
    number = os.WTERMSIG(status)
    reason = "timeout" if number == signal.SIGXCPU else "crashed"
    with suppress(ValueError):
        return reason, f"the examining process ended by {signal.Signals(number).name}"
    return reason, f"the examining process ended by signal {number}"
