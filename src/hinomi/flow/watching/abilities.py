"""What this kernel and these rights allow a watcher, tried out and undone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from hinomi.evidence.sources.mounts import leaves_out
from hinomi.watch.live import syscalls as sc
from hinomi.watch.live.connector import ProcessConnector
from hinomi.watch.live.fanotify import BASE, FanotifyBackend

_LIMITS = ("fs/fanotify/max_queued_events", "fs/fanotify/max_user_groups", "fs/inotify/max_user_watches")


def abilities() -> Iterator[tuple[str, bool, str]]:
    """Yield (what, whether it can be had, what was seen or why not)."""
    yield _tried(
        "fanotify", lambda: os.close(sc.fanotify_init(BASE)), "changes in whole file systems, and who made them"
    )
    yield _tried(
        "fanotify pidfd", lambda: os.close(sc.fanotify_init(BASE | sc.FAN_REPORT_PIDFD)), "a process is never mistaken"
    )
    yield from _marks()
    yield _tried("process connector", lambda: ProcessConnector().close(), "every program start")
    yield _tried("inotify", lambda: os.close(sc.inotify_init()), "the second choice: does not tell who")
    login = Path("/proc/self/loginuid").exists()
    yield "login user", login, "known behind sudo" if login else "a kernel without audit"
    for name in _LIMITS:
        path = Path("/proc/sys") / name
        if path.exists():
            yield name.rpartition("/")[2], True, path.read_text("ascii", "replace").strip()


def _marks() -> Iterator[tuple[str, bool, str]]:
    """Mark every file system of this host, and say which could not be."""
    try:
        backend = FanotifyBackend([b"/"], leaves_out)
    except OSError:
        return
    try:
        marks = backend.mark()
    finally:
        backend.close()
    for mark in marks:
        yield f"marks {mark.place}", mark.ok, mark.kind if mark.ok else f"{mark.kind}: {mark.cause}"


def _tried(name: str, attempt: Callable[[], object], good: str) -> tuple[str, bool, str]:
    try:
        attempt()
    except OSError as error:
        return name, False, error.strerror or str(error)
    return name, True, good
