"""One watcher a case: a lock that says who holds it and since when."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from hinomi.model.errors import CaseError, PermissionDeniedError

FOLDER = "watch"


def watch_folder(case: Path) -> Path:
    """Return the folder of the case where the watcher keeps its own state."""
    return case / FOLDER


class WatchLock:
    """Held as long as the process lives; `CaseError` where another holds it."""

    def __init__(self, case: Path, now: str) -> None:
        folder = watch_folder(case)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PermissionDeniedError(
                "case.not-writable", place=str(folder), cause=str(error), next_step="choose another with --case DIR"
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = holder_of(case) or {}
            os.close(self._descriptor)
            raise CaseError(
                "watch.running",
                place=str(case),
                cause=f"pid {holder.get('pid', '?')} since {holder.get('since', '?')}",
                next_step="hinomi watch status",
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps({"pid": os.getpid(), "since": now}).encode(), 0)

    def release(self) -> None:
        """Let another watcher begin."""
        os.close(self._descriptor)


def holder_of(case: Path) -> dict[str, object] | None:
    """Return pid and since of the watcher that runs on a case now; None where none does."""
    try:
        descriptor = os.open(watch_folder(case) / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            return dict(json.loads(os.pread(descriptor, 4096, 0)))
        except ValueError:
            return {"pid": None, "since": None}
    else:
        return None
    finally:
        os.close(descriptor)
