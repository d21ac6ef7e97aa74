"""One process's identity, read in as few system calls as can be: the sensor asks the moment a program starts."""

from __future__ import annotations

import os
import time
from glob import glob

from hinomi.evidence.process import procfs
from hinomi.model.text import path_text
from hinomi.watch.live.processes import MAX_ARGUMENTS, Identity
from hinomi.watch.live.sensor import since_boot

_UNSET = 4294967295
_LOADERS = ("/lib*/ld-*", "/lib/*/ld-*", "/usr/lib*/ld-*", "/usr/lib/*/ld-*")


class IdentityReader:
    """Reads living processes of one proc file system."""

    def __init__(self, proc: bytes = procfs.PROC) -> None:
        self._proc = proc
        self._boot, self._offset = 0.0, float("-inf")
        self._tick = os.sysconf("SC_CLK_TCK")

    def _booted(self) -> float:
        """Return when this machine was started, by the wall clock as it is set now."""
        offset = time.time() - since_boot()
        if abs(offset - self._offset) > 1.0:
            self._boot, self._offset = procfs.boot_time(procfs.read(self._proc + b"/stat", 1 << 20)), offset
        return self._boot

    def __call__(self, pid: int) -> Identity | None:
        """Return who a process is; None where it has ended. What it is comes first: it may end at any moment."""
        base = self._proc + b"/%d/" % pid
        try:
            exe = _link(base + b"exe")
            words = procfs.arguments(procfs.read(base + b"cmdline", MAX_ARGUMENTS))
            stat = procfs.parse_stat(procfs.read(base + b"stat", procfs.MAX_STATUS))
            kernel = bool(stat.flags & procfs.PF_KTHREAD)
            if stat.state in (b"Z", b"X") or (exe is None and not kernel):
                return None
            status = procfs.parse_status(procfs.read(base + b"status", procfs.MAX_STATUS))
            return Identity(
                pid=pid, ppid=stat.ppid, name=path_text(stat.name),
                exe=None if exe is None else path_text(procfs.parse_exe(exe).path or exe),
                cmdline=tuple(path_text(word) for word in words), uid=status.uid, login_uid=self._login_uid(base),
                container=procfs.container_of(procfs.read(base + b"cgroup", procfs.MAX_STATUS)),
                started=self._booted() + stat.start / self._tick,
            )  # fmt: skip
        except (OSError, ValueError):
            return None

    def glance(self, pid: int) -> tuple[str, tuple[str, ...]] | None:
        """Return (program, arguments) of a process; None where it has ended."""
        base = self._proc + b"/%d/" % pid
        try:
            exe = os.readlink(base + b"exe")
            words = procfs.arguments(procfs.read(base + b"cmdline", MAX_ARGUMENTS))
        except (OSError, ValueError):
            return None
        return path_text(procfs.parse_exe(exe).path or exe), tuple(path_text(word) for word in words)

    @staticmethod
    def _login_uid(base: bytes) -> int | None:
        try:
            text = procfs.read(base + b"loginuid", 32).strip()
        except FileNotFoundError:  # a kernel without audit
            return None
        return int(text) if text.isdigit() and int(text) != _UNSET else None


def _link(path: bytes) -> bytes | None:
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return None


def loaders() -> frozenset[str]:
    """Return the paths of dynamic loaders, as the kernel opens them."""
    found = {path for pattern in _LOADERS for path in glob(pattern)}
    return frozenset(found | {os.path.realpath(path) for path in found})
