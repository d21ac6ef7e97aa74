"""Small, bounded reads of one process's folder under /proc.

A process may end between any two reads: that is `ProcessLookupError` or `FileNotFoundError`, never an answer.
Paths below are those of this machine's proc file system; a test may give another folder of the same layout.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

PROC = b"/proc"
MAX_CMDLINE = 64 << 10
MAX_ARGUMENTS = 1000
MAX_ENVIRON = 1 << 20
MAX_MAPS = 16 << 20
MAX_STATUS = 64 << 10
PF_KTHREAD = 0x00200000
_DELETED = b" (deleted)"
_MEMFD = b"/memfd:"
_CONTAINER = re.compile(rb"(?:^|[/:-])([0-9a-f]{64}|[0-9a-f]{32}-[0-9]{4,10})(?:\.scope)?(?:/|$)")
_POD = re.compile(
    rb"/(?:lxc(?:\.payload)?[./]|machine\.slice/machine-|docker/|libpod-)([A-Za-z0-9_.-]{1,64}?)(?:\.scope)?(?:/|$)"
)


class Stat(NamedTuple):
    """What /proc/PID/stat says; `start` in clock ticks since boot, `tty` a device number."""

    name: bytes
    state: bytes
    ppid: int
    session: int
    tty: int
    flags: int
    start: int


class Exe(NamedTuple):
    """Where /proc/PID/exe leads: path without the mark of deletion, and whether it is gone or anonymous memory."""

    path: bytes | None
    deleted: bool
    memfd: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What /proc/PID/status says."""

    uid: int
    euid: int
    tracer: int


def pids(proc: bytes = PROC) -> list[int]:
    """Return the process ids in ascending order."""
    return sorted(int(name) for name in os.listdir(proc) if name.isdigit())


def read(path: bytes, limit: int) -> bytes:
    """Return at most `limit` bytes of a proc file."""
    parts: list[bytes] = []
    left = limit
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        while left > 0:
            part = os.read(descriptor, min(left, 1 << 16))
            if not part:
                break
            parts.append(part)
            left -= len(part)
    finally:
        os.close(descriptor)
    return b"".join(parts)


def parse_stat(data: bytes) -> Stat:
    """Read `pid (name) state ppid ...`; the name may hold spaces and brackets. `ValueError` for anything else."""
    start, end = data.find(b"("), data.rfind(b")")
    fields = data[end + 1 :].split()
    if start < 0 or end < start or len(fields) < 20:
        raise ValueError("no stat line")
    ppid, _, session, tty = (int(field) for field in fields[1:5])
    return Stat(data[start + 1 : end], fields[0], ppid, session, tty, int(fields[6]), int(fields[19]))


def parse_status(data: bytes) -> Status:
    """Read uid, effective uid and tracer; `ValueError` where there is no Uid line."""
    uids, tracer = None, 0
    for line in data.split(b"\n"):
        if line.startswith(b"Uid:"):
            uids = [int(part) for part in line.split()[1:3]]
        elif line.startswith(b"TracerPid:"):
            tracer = int(line.split()[1])
    if uids is None or len(uids) < 2:
        raise ValueError("no Uid line")
    return Status(uids[0], uids[1], tracer)


def parse_exe(target: bytes) -> Exe:
    """Read where an exe link leads."""
    deleted = target.endswith(_DELETED)
    path = target.removesuffix(_DELETED)
    memfd = path.startswith(_MEMFD)
    return Exe(path, deleted and not memfd, memfd)


def arguments(data: bytes) -> list[bytes]:
    """Split a cmdline; one that a program has overwritten as a title comes as one argument."""
    return [] if not data else data.removesuffix(b"\0").split(b"\0")[:MAX_ARGUMENTS]


def preload_of(environ: bytes) -> bytes | None:
    """Return LD_PRELOAD (or LD_AUDIT) of an environment; the last one counts, as it does for the loader."""
    found = None
    for entry in environ.split(b"\0"):
        if entry.startswith((b"LD_PRELOAD=", b"LD_AUDIT=")) and not entry.endswith(b"="):
            found = entry.partition(b"=")[2]
    return found


def maps_lines(base: bytes) -> Iterator[bytes]:
    """Return the lines of a process's memory map, read at once; `base` is its folder with a slash."""
    return iter(read(base + b"maps", MAX_MAPS).split(b"\n"))


def root_identity(path: bytes) -> tuple[int, int] | None:
    """Return device and inode of the folder at `path`; None where it cannot be told."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def terminal_index(fdinfo: bytes) -> int | None:
    """Return the number of the pseudo-terminal that a master's descriptor belongs to, None where it is not said."""
    for line in fdinfo.split(b"\n"):
        if line.startswith(b"tty-index:") and line[10:].strip().isdigit():
            return int(line[10:])
    return None


def container_of(cgroup: bytes) -> str | None:
    """Return the container's id (or name) in a cgroup file, None on the host itself."""
    for line in cgroup.split(b"\n"):
        match = _CONTAINER.search(line) or _POD.search(line)
        if match:
            return match.group(1).decode("ascii", "replace")
    return None


def boot_time(stat: bytes) -> int:
    """Return the time of boot in seconds since 1970 from /proc/stat; 0 where it is missing."""
    for line in stat.split(b"\n"):
        if line.startswith(b"btime "):
            return int(line.split()[1])
    return 0


def terminal(number: int) -> str | None:
    """Return the terminal of a tty number (`pts/0`, `tty1`), None for none."""
    if number == 0:
        return None
    major, minor = os.major(number & 0xFFFFFFFF), os.minor(number & 0xFFFFFFFF)
    if 136 <= major <= 143:
        return f"pts/{(major - 136) * 256 + minor}"
    if major == 4:
        return f"tty{minor}" if minor < 64 else f"ttyS{minor - 64}"
    return f"{major}:{minor}"
