"""Which processes are this program: the one that asks, what it has started, and others that run the same script."""

from __future__ import annotations

import os

from hinomi.evidence.process import procfs
from hinomi.evidence.process.scriptname import script_of


def own_processes(proc: bytes = procfs.PROC) -> frozenset[int]:
    """Return our own process, all that descend from it, and those with our very program and script (the watcher).

    A script is the same where it is the same file; its name alone proves nothing.
    """
    here = os.getpid()
    parents: dict[int, int] = {}
    own = {here}
    mine = _identity(proc, here)
    for pid in procfs.pids(proc):
        try:
            parents[pid] = procfs.parse_stat(procfs.read(proc + b"/%d/stat" % pid, procfs.MAX_STATUS)).ppid
        except (OSError, ValueError):
            continue
        if mine is not None and _identity(proc, pid) == mine:
            own.add(pid)
    return frozenset(own | {pid for pid in parents if _descends(pid, here, parents)})


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    for _ in range(len(parents)):
        if pid == ancestor:
            return True
        if pid not in parents:
            return False
        pid = parents[pid]
    return False


def _identity(proc: bytes, pid: int) -> tuple[object, ...] | None:
    """Return program and script of a process as files; None where it runs no script or they cannot be told."""
    base = proc + b"/%d/" % pid
    try:
        words = procfs.arguments(procfs.read(base + b"cmdline", procfs.MAX_CMDLINE))
        script = script_of(os.readlink(base + b"exe"), words, os.readlink(base + b"cwd"))
        if script is None:
            return None
        program, text = os.stat(base + b"exe"), os.stat(base + b"root" + script)
    except OSError:
        return None
    return program.st_dev, program.st_ino, text.st_dev, text.st_ino
