"""The processes of this live host, from our own reading of /proc."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from hinomi.evidence.identity.passwd import parse_passwd
from hinomi.evidence.process import procfs
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.host import Process
from hinomi.model.text import path_text

T = TypeVar("T")
_UNSET = 4294967295
_GONE = (FileNotFoundError, ProcessLookupError)


class ProcessesCollector:
    """One row per process, our own and its parents included; a process that ends meanwhile is a transient miss."""

    name = "processes"
    tables: tuple[type[Row], ...] = (Process,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows by process id; nothing on a target that is not live."""
        if target.kind == "live":
            yield from processes(target, coverage)


def processes(target: Target, coverage: Coverage, proc: bytes = procfs.PROC) -> Iterator[Process]:
    """Yield the processes that `proc` shows. What the rights do not allow is one miss per kind, with its count."""
    reader = _Reader(target, proc)
    pids = procfs.pids(proc)
    if 1 not in pids:
        coverage.miss("processes", path_text(proc), "permission", "only some processes are shown (hidepid)")
    for pid in pids:
        try:
            row = reader.row(pid)
        except _GONE:
            coverage.miss("processes", str(pid), "vanished", transient=True)
        except (OSError, ValueError) as error:
            coverage.miss("processes", str(pid), "unreadable", type(error).__name__)
        else:
            coverage.count("processes")
            yield row
    for kind, refused in sorted(reader.refused.items()):
        coverage.miss("processes", kind, "permission", f"{len(refused)} processes")


@dataclass
class _Reader:
    """Reads one process after the other; what is the same for all is read once."""

    target: Target
    proc: bytes
    refused: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._boot = procfs.boot_time(procfs.read(self.proc + b"/stat", 1 << 20))
        self._tick = os.sysconf("SC_CLK_TCK")
        self._users = _user_names(self.target)
        self._states: dict[bytes, str | None] = {}
        self._pid = 0

    def row(self, pid: int) -> Process:
        """Return a process's row; `FileNotFoundError` or `ProcessLookupError` when it has ended."""
        self._pid = pid
        base = self.proc + b"/%d/" % pid
        stat = procfs.parse_stat(procfs.read(base + b"stat", procfs.MAX_STATUS))
        status = procfs.parse_status(procfs.read(base + b"status", procfs.MAX_STATUS))
        kernel = bool(stat.flags & procfs.PF_KTHREAD)
        exe = self._exe(base, kernel)
        maps = self._maps(base, kernel)
        cmdline = procfs.read(base + b"cmdline", procfs.MAX_CMDLINE)
        preload = None if kernel else self._preload(base)
        if exe.path is None and not kernel:
            _still_there(base, stat)
        return Process(
            pid=pid, ppid=stat.ppid, name=path_text(stat.name),
            exe=_text(exe.path), exe_deleted=exe.deleted, exe_memfd=exe.memfd,
            cmdline=[path_text(word) for word in procfs.arguments(cmdline)],
            cwd=_text(self._link(base + b"cwd", kernel)), root=_text(self._link(base + b"root", kernel)),
            uid=status.uid, euid=status.euid, user=self._users.get(status.uid), login_uid=self._login_uid(base),
            started=self._boot + stat.start / self._tick, tty=procfs.terminal(stat.tty),
            stdin=_text(self._link(base + b"fd/0", kernel)), stdout=_text(self._link(base + b"fd/1", kernel)),
            stderr=_text(self._link(base + b"fd/2", kernel)), kernel_thread=kernel, tracer_pid=status.tracer,
            preload=_text(preload), deleted_libraries=[path_text(p) for p in maps.deleted if p != exe.path],
            executable_anonymous=maps.writable_executable, container=self._container(base),
            exe_package_state=None if exe.path is None or exe.deleted or exe.memfd else self._state(exe.path),
        )  # fmt: skip

    def _allowed(self, kind: str, read: Callable[[], T], otherwise: T) -> T:
        """Return what `read` gives; a refusal counts under `kind` and gives `otherwise`."""
        try:
            return read()
        except _GONE:  # nothing there: a zombie, a closed descriptor, or the process has ended
            return otherwise
        except OSError:
            self.refused.setdefault(kind, set()).add(self._pid)
        return otherwise

    def _exe(self, base: bytes, kernel: bool) -> procfs.Exe:
        target = self._link(base + b"exe", kernel)
        return procfs.Exe(None, False, False) if target is None else procfs.parse_exe(target)

    def _link(self, path: bytes, kernel: bool) -> bytes | None:
        """Return where a link leads; kernel threads, ended ones (zombies) and closed descriptors have none."""
        if kernel:
            return None
        kind = path.rsplit(b"/", 2)[-2 if b"/fd/" in path else -1].decode()
        return self._allowed(kind, lambda: os.readlink(path), None)

    def _maps(self, base: bytes, kernel: bool) -> procfs.Maps:
        if kernel:
            return procfs.Maps((), 0)

        def read() -> procfs.Maps:
            data = procfs.read(base + b"maps", procfs.MAX_MAPS)
            return procfs.parse_maps(iter(data.split(b"\n")))

        return self._allowed("maps", read, procfs.Maps((), 0))

    def _preload(self, base: bytes) -> bytes | None:
        environ = self._allowed("environment", lambda: procfs.read(base + b"environ", procfs.MAX_ENVIRON), b"")
        return procfs.preload_of(environ)

    def _login_uid(self, base: bytes) -> int | None:
        try:
            text = procfs.read(base + b"loginuid", 32).strip()
        except OSError:  # kernels without audit have no such file
            return None
        return int(text) if text.isdigit() and int(text) != _UNSET else None

    def _container(self, base: bytes) -> str | None:
        try:
            return procfs.container_of(procfs.read(base + b"cgroup", procfs.MAX_STATUS))
        except OSError:
            return None

    def _state(self, path: bytes) -> str | None:
        if path not in self._states:
            self._states[path] = self.target.ownership.state(path, None)
        return self._states[path]


def _still_there(base: bytes, before: procfs.Stat) -> None:
    """Raise `ProcessLookupError` where the process has ended while it was read, so that no half row is kept."""
    now = procfs.parse_stat(procfs.read(base + b"stat", procfs.MAX_STATUS))
    if now.start != before.start or now.state in (b"X", b"x") or (now.state == b"Z" and before.state != b"Z"):
        raise ProcessLookupError


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else path_text(raw)


def _user_names(target: Target) -> dict[int, str]:
    try:
        text = target.view.read(b"/etc/passwd", 4 << 20).decode("utf-8", "surrogateescape")
    except OSError:
        return {}
    names: dict[int, str] = {}
    for account in parse_passwd(text):
        if account.uid is not None:
            names.setdefault(account.uid, account.name)
    return names


COLLECTOR = ProcessesCollector()
