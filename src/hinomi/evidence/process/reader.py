"""One process after the other, as a row: the scan reads them all, the watcher each one as it starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from hinomi.evidence.identity.passwd import parse_passwd
from hinomi.evidence.process import maps, procfs
from hinomi.evidence.process.scriptname import script_of
from hinomi.evidence.target import Target
from hinomi.model.tables.processes import Process
from hinomi.model.text import path_text

T = TypeVar("T")
MAX_DESCRIPTORS = 100_000  # looked through per process
_UNSET = 4294967295
_MASTERS = (b"/dev/ptmx", b"/dev/pts/ptmx")
GONE = (FileNotFoundError, ProcessLookupError)


@dataclass
class ProcessReader:
    """Reads processes of one proc file system; what is the same for all is read once.

    `refused` holds, per kind of fact, the processes for which the rights did not allow it.
    """

    target: Target
    proc: bytes = procfs.PROC
    refused: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._boot = procfs.boot_time(procfs.read(self.proc + b"/stat", 1 << 20))
        self._tick = os.sysconf("SC_CLK_TCK")
        self._users = _user_names(self.target)
        self._states: dict[bytes, str | None] = {}
        self._root = procfs.root_identity(b"/")
        self._pid = 0

    def row(self, pid: int) -> Process:
        """Return a process's row; `FileNotFoundError` or `ProcessLookupError` when it has ended."""
        self._pid = pid
        base = self.proc + b"/%d/" % pid
        stat = procfs.parse_stat(procfs.read(base + b"stat", procfs.MAX_STATUS))
        status = procfs.parse_status(procfs.read(base + b"status", procfs.MAX_STATUS))
        kernel = bool(stat.flags & procfs.PF_KTHREAD)
        exe = self._exe(base, kernel)
        mapped = self._maps(base, kernel)
        words = procfs.arguments(procfs.read(base + b"cmdline", procfs.MAX_CMDLINE))
        cwd = self._link(base + b"cwd", kernel)
        script = script_of(exe.path, words, cwd)
        if exe.path is None and not kernel:
            _still_there(base, stat)
        return Process(
            pid=pid, ppid=stat.ppid, name=path_text(stat.name),
            exe=_text(exe.path), exe_deleted=exe.deleted, exe_memfd=exe.memfd, cmdline=_texts(words),
            script=_text(script), script_package_state=self.state(pid, script), cwd=_text(cwd),
            root=_text(self._link(base + b"root", kernel)),
            uid=status.uid, euid=status.euid, user=self._users.get(status.uid), login_uid=self._login_uid(base),
            started=self.time_of(stat), session=stat.session, tty=procfs.terminal(stat.tty),
            stdin=_text(self._link(base + b"fd/0", kernel)), stdout=_text(self._link(base + b"fd/1", kernel)),
            stderr=_text(self._link(base + b"fd/2", kernel)), kernel_thread=kernel, tracer_pid=status.tracer,
            terminals=[] if kernel else self._allowed("terminals", lambda: _terminals(base), []),
            preload=_text(None if kernel else self._preload(base)),
            libraries=_texts([p for p in mapped.libraries if p != exe.path]),
            deleted_libraries=_texts([p for p in mapped.deleted if p != exe.path]),
            executable_anonymous=mapped.writable_executable, container=self._container(base),
            exe_package_state=None if exe.deleted or exe.memfd else self.state(pid, exe.path),
        )  # fmt: skip

    def time_of(self, stat: procfs.Stat) -> float:
        """Return when a process started, in seconds since 1970 UTC."""
        return self._boot + stat.start / self._tick

    def state(self, pid: int, path: bytes | None) -> str | None:
        """Return what the packages say about a file a process runs or maps; None for one with a root of its own."""
        if path is None or procfs.root_identity(self.proc + b"/%d/root" % pid) not in (None, self._root):
            return None
        if path not in self._states:
            self._states[path] = self.target.ownership.state(path, None)
        return self._states[path]

    def _allowed(self, kind: str, read: Callable[[], T], otherwise: T) -> T:
        """Return what `read` gives; a refusal counts under `kind` and gives `otherwise`."""
        try:
            return read()
        except GONE:  # nothing there: a zombie, a closed descriptor, or the process has ended
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

    def _maps(self, base: bytes, kernel: bool) -> maps.Summary:
        if kernel:
            return maps.Summary()
        return self._allowed("maps", lambda: maps.summary(maps.parse(procfs.maps_lines(base))), maps.Summary())

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


def _terminals(base: bytes) -> list[str]:
    """Return the pseudo-terminals whose master is among a process's descriptors."""
    found = set()
    for number, name in enumerate(os.listdir(base + b"fd")):
        if number >= MAX_DESCRIPTORS:
            break
        try:
            if os.readlink(base + b"fd/" + name) in _MASTERS:
                found.add(procfs.terminal_index(procfs.read(base + b"fdinfo/" + name, 4096)))
        except GONE:
            continue
    return [f"pts/{index}" for index in sorted(i for i in found if i is not None)]


def _still_there(base: bytes, before: procfs.Stat) -> None:
    """Raise `ProcessLookupError` where the process has ended while it was read, so that no half row is kept."""
    now = procfs.parse_stat(procfs.read(base + b"stat", procfs.MAX_STATUS))
    if now.start != before.start or now.state in (b"X", b"x") or (now.state == b"Z" and before.state != b"Z"):
        raise ProcessLookupError


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else path_text(raw)


def _texts(raw: Sequence[bytes]) -> list[str]:
    return [path_text(one) for one in raw]


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
