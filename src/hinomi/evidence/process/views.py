"""The ways of asking the kernel which processes there are; one that lies is told by the others."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import signal
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from hinomi.evidence.process import procfs

CHUNK = 1 << 16
MAX_CGROUP_FOLDERS = 200_000
_GETDENTS64 = {
    "x86_64": 217, "aarch64": 61, "riscv64": 61, "armv7l": 217, "armv6l": 217, "i686": 220, "i386": 220,
    "ppc64le": 202, "s390x": 220,
}  # fmt: skip
_ENTRY = struct.Struct("=QqHB")
_BUFFER = 1 << 16


@dataclass(frozen=True, slots=True)
class Mount:
    """Something mounted over the folder of a process or over a file in it."""

    pid: int
    what: str


class ProcessViews:
    """Every view of one pid namespace through one proc file system of it."""

    def __init__(self, proc: bytes = procfs.PROC, cgroups: bytes = b"/sys/fs/cgroup") -> None:
        self.proc = proc
        self._cgroups = cgroups
        self._libc: Any = ctypes.CDLL(None, use_errno=True)
        self._calls: Any = ctypes.CDLL(None)  # without errno: a third faster, and millions are made

    def same_namespace(self) -> bool:
        """Whether the proc file system shows this process under its own number."""
        try:
            return os.readlink(self.proc + b"/self") == b"%d" % os.getpid()
        except OSError:
            return False

    def pid_max(self) -> int:
        """Return the highest number that a process may have."""
        return int(procfs.read(self.proc + b"/sys/kernel/pid_max", 32))

    def library_listing(self) -> set[int]:
        """Return what the C library's reading of the folder shows: what `ps` sees."""
        return set(procfs.pids(self.proc))

    def listing(self) -> set[int]:
        """Return what the kernel itself lists; where its call is not known here, what the library shows."""
        number = _GETDENTS64.get(platform.machine())
        if number is None:
            return self.library_listing()
        return {int(name) for name in self._names(number) if name.isdigit()}

    def _names(self, number: int) -> Iterator[bytes]:
        buffer = ctypes.create_string_buffer(_BUFFER)
        folder = os.open(self.proc, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            while (got := self._libc.syscall(number, folder, buffer, _BUFFER)) > 0:
                yield from _entries(buffer.raw[:got])
            if got < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(folder)

    def answering(self) -> Iterator[int]:
        """Yield, in order, every number up to the highest to which a process or thread answers a harmless call."""
        last = self.pid_max()
        session, signalled = self._calls.getsid, self._calls.kill
        for start in range(1, last + 1, CHUNK):
            numbers = range(start, min(start + CHUNK, last + 1))
            answers = zip(numbers, map(session, numbers), map(signalled, numbers, repeat(0)), strict=True)
            yield from (pid for pid, one, other in answers if one != -1 or other == 0)

    def seen_by(self, pid: int) -> list[str]:
        """Return which calls know the process."""
        calls = self._calls
        seen = [
            name
            for name, answer in (
                ("signal", calls.kill(pid, 0)),
                ("session", calls.getsid(pid)),
                ("scheduler", calls.sched_getscheduler(pid)),
            )
            if answer != -1
        ]
        if self.stat(pid) is not None:
            seen.append("stat")
        return seen

    def stat(self, pid: int) -> procfs.Stat | None:
        """Return what the process's own folder says; None where it is not to be read."""
        try:
            return procfs.parse_stat(procfs.read(self.proc + b"/%d/stat" % pid, procfs.MAX_STATUS))
        except (OSError, ValueError):
            return None

    def leader(self, pid: int) -> int | None:
        """Return the process that a number belongs to as a thread (itself for a process); None if unreadable."""
        try:
            status = procfs.read(self.proc + b"/%d/status" % pid, procfs.MAX_STATUS)
        except OSError:
            return None
        found = re.search(rb"^Tgid:\s*(\d{1,10})$", status, re.MULTILINE)
        return int(found[1]) if found else None

    def in_cgroups(self) -> set[int]:
        """Return every process that a control group holds; numbers of other namespaces come as 0 and are left out."""
        found: set[int] = set()
        for number, (folder, _, files) in enumerate(os.walk(self._cgroups)):
            if number >= MAX_CGROUP_FOLDERS:
                break
            if b"cgroup.procs" in files:
                try:
                    data = procfs.read(folder + b"/cgroup.procs", 16 << 20)
                except OSError:
                    continue
                found.update(int(line) for line in data.split() if line.isdigit())
        return found - {0}

    def mounts(self) -> list[Mount]:
        """Return what is mounted over the folders of processes."""
        try:
            lines = procfs.read(self.proc + b"/self/mountinfo", 16 << 20).split(b"\n")
        except OSError:
            return []
        return [mount for line in lines if (mount := _covering(line, self.proc)) is not None]


def _entries(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + _ENTRY.size <= len(data):
        _, _, length, _ = _ENTRY.unpack_from(data, at)
        if length < _ENTRY.size:
            return
        yield data[at + _ENTRY.size : at + length].split(b"\0", 1)[0]
        at += length


def _covering(line: bytes, proc: bytes) -> Mount | None:
    """Read one line of mountinfo: `id parent device root point options … - type source options`."""
    parts = line.split()
    if len(parts) < 10 or b"-" not in parts:
        return None
    found = re.fullmatch(re.escape(proc) + rb"/(\d{1,10})(?:/.*)?", parts[4])
    if found is None:
        return None
    dash = parts.index(b"-")
    kind, source = parts[dash + 1], parts[dash + 2] if len(parts) > dash + 2 else b""
    return Mount(int(found[1]), b" ".join((kind, source, parts[3])).decode("utf-8", "backslashreplace"))


class Pin:
    """Holds on to one process, so that its number cannot come to mean another: by a pidfd, or by its start time.

    `open` gives None where no process (or only a thread) has the number. Close it, or use it as a context manager.
    """

    def __init__(self, views: ProcessViews, pid: int, descriptor: int | None, start: int | None) -> None:
        self.pid = pid
        self._views = views
        self._descriptor = descriptor
        self._start = start

    @classmethod
    def open(cls, views: ProcessViews, pid: int) -> Pin | None:
        """Take hold of a process."""
        try:
            return cls(views, pid, os.pidfd_open(pid), None)
        except OSError as error:
            if error.errno in (errno.ESRCH, errno.EINVAL, errno.ENOENT):
                return None
        stat = views.stat(pid)  # the kernel has no such call, or a filter forbids it
        return None if stat is None or views.leader(pid) != pid else cls(views, pid, None, stat.start)

    @property
    def by_descriptor(self) -> bool:
        """Whether the kernel itself vouches for the identity."""
        return self._descriptor is not None

    def alive(self) -> bool:
        """Whether the very process has not yet ended."""
        if self._descriptor is None:
            stat = self._views.stat(self.pid)
            return stat is not None and stat.start == self._start
        try:
            signal.pidfd_send_signal(self._descriptor, 0)  # 0 asks, and sends nothing
        except PermissionError:
            return True
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
