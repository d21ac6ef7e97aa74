"""Another project's program on hostile input: never as root, with bounds on time, memory and what it writes."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from hinomi.model.errors import ParseError

SECONDS = 1800.0
MEMORY = 8 << 30  # of address space: interpreters and their libraries map a lot that they never touch
FILE_SIZE = 64 << 30
POLL_SECONDS = 0.5
MAX_WORDS = 4000  # of its complaint


@contextmanager
def work_area(parent: Path | None) -> Iterator[Path]:
    """Give a folder that only the program's user can write to; it is gone afterwards.

    It lies in `parent`; but root's own folders are closed to that user, so root's lies in the system's temporary place.
    """
    user = nobody()
    folder = Path(tempfile.mkdtemp(prefix="hinomi-outside-", dir=parent if user is None else None))
    try:
        if user is not None:
            os.chown(folder, user, -1)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: Sequence[str], folder: Path, quota: int) -> None:
    """Run a program in `folder` until it ends; `ParseError` where it fails, takes too long or writes beyond `quota`."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LC_ALL": "C.UTF-8",
    }
    log = folder / ".complaint"
    with log.open("wb") as words, suppress_missing(command[0]):
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=words, stderr=words,
            start_new_session=True, preexec_fn=_bound, user=nobody(), group=nobody_group(), extra_groups=_groups(),
        )  # fmt: skip
    cause = _watched(process, folder, quota)
    if cause:
        raise ParseError("outside.failed", cause=f"{Path(command[0]).name}: {cause}{_complaint(log)}")


@contextmanager
def suppress_missing(program: str) -> Iterator[None]:
    """Make a program that cannot be started a `ParseError`."""
    try:
        yield
    except OSError as error:
        raise ParseError("outside.missing", cause=f"{program}: {error.strerror}") from error


def _watched(process: subprocess.Popen[bytes], folder: Path, quota: int) -> str:
    """Return why a program failed; empty where it ended well."""
    until = time.monotonic() + SECONDS
    try:
        while process.poll() is None:
            if time.monotonic() > until:
                return f"not done within {SECONDS:.0f} s"
            if size_of(folder) > quota:
                return f"wrote more than {quota} bytes"
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return "" if process.returncode == 0 else f"ended with {process.returncode}"


def size_of(folder: Path) -> int:
    """Return the bytes that a folder's files take on the disk; links are not followed."""
    total = 0
    for at, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(at, name)).st_blocks * 512
    return total


def _complaint(log: Path) -> str:
    data = log.read_bytes()[-MAX_WORDS:] if log.exists() else b""
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""


def _bound() -> None:
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))


def nobody() -> int | None:
    """Return the user that nothing belongs to, where this process is root."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def nobody_group() -> int | None:
    return pwd.getpwnam("nobody").pw_gid if os.geteuid() == 0 else None


def _groups() -> list[int] | None:
    return [] if os.geteuid() == 0 else None
