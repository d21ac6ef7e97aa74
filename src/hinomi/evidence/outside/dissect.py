"""dissect as a reader of what nothing here opens: APFS, VMFS, BitLocker, LUKS, FortiOS, CramFS.

dissect (AGPL-3.0-or-later, https://docs.dissect.tools) is never imported here: an interpreter that has it runs
`driver.py`, which loads dissect and then becomes nobody and confined, before it sees an image. It opens no file: the
bytes it wants are read by the process that asks, from whatever source the image is. The driver is started before a
process gives up starting programs; its forks share it, one question at a time.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from hinomi.evidence import confinement
from hinomi.evidence.archives.source import Source
from hinomi.evidence.outside import driver, program
from hinomi.evidence.outside.driver import ANSWER, ASK, BYTES, FAILED, HEAD, PART, WANT
from hinomi.model.errors import ParseError

TREES = ("apfs", "vmfs", "cramfs", "fortios")
VOLUMES = ("bitlocker", "luks")
KINDS = frozenset({*TREES, *VOLUMES})
PATIENCE_SECONDS = 200.0  # without a sign of life; less than after which the asking process is ended
MEMORY = 6 << 30  # of address space
CPU_SECONDS = 7200
MAX_ANSWER = 256 << 20
MAX_WANT = 1 << 20
MAX_GIVEN = 64
MAX_KEY_FILE = 1 << 20
MAX_KEYS = 32  # each may take a second to try
Way = tuple[bytes, ...]  # names from the root down
_REASONS = {"encrypted": "image.encrypted", "timeout": "image.budget"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Which interpreter has dissect, and the keys for what is encrypted."""

    python: str
    keys: tuple[str, ...] = field(default=(), repr=False)


class Given(NamedTuple):
    """One file system or volume of an image; `root` is the root's attributes, None for a volume of `size` bytes."""

    name: str
    number: int
    size: int
    root: list[Any] | None


class Reader:
    """The driver, from whichever process asks."""

    def __init__(self, settings: Settings) -> None:
        """Start it; `ParseError` where that cannot be."""
        self._keys = settings.keys
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = here
        self._fd = here.fileno()
        self._lock_file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this
        self._lock = threading.Lock()
        self._asked = 0
        with there, program.suppress_missing(settings.python):
            self._process = _started(settings.python, there.fileno())
        text = Path(confinement.__file__).read_text("utf-8")
        user, group = program.nobody(), program.nobody_group()
        hello = {"do": "hello", "confinement": text, "user": None if user is None else [user, group]}
        with _as_nonsense():
            self.shut = frozenset(json.loads(self._ask(hello, None))["shut"])

    def open(self, kind: str, source: Source) -> list[Given]:
        """Return what is in an image; `ParseError` where that stays closed."""
        question = {"do": "open", "kind": kind, "size": source.size, "keys": list(self._keys)}
        with _as_nonsense():
            told = json.loads(self._ask(question, source))[:MAX_GIVEN]
            return [Given(str(one["name"]), int(one["number"]), int(one["size"]), one["root"]) for one in told]

    def listing(self, source: Source, number: int, way: Way) -> tuple[list[list[Any]], list[tuple[bytes, str]]]:
        """Return a folder's entries as `driver` tells them, and (name, why) of those that cannot be told."""
        question = {"do": "list", "number": number, "way": [part.hex() for part in way]}
        with _as_nonsense():
            told = json.loads(self._ask(question, source))
            return told["entries"], [(bytes.fromhex(name), str(why)) for name, why in told["bad"]]

    def read(self, source: Source, number: int, way: Way, at: int, length: int) -> bytes:
        """Return bytes of a file or volume."""
        place = {"number": number, "way": [part.hex() for part in way]}
        return self._ask({"do": "read", **place, "at": at, "length": length}, source)

    def _ask(self, question: dict[str, Any], source: Source | None) -> bytes:
        """Put a question, lend the bytes it needs, return the answer; `ParseError` where there is none."""
        with self._lock, self._alone():
            try:
                self._asked += 1
                number = os.getpid() << 32 | self._asked & 0xFFFFFFFF
                self._send(number, ASK, json.dumps(question).encode())
                return self._awaited(number, source)
            except OSError as error:
                raise ParseError("outside.failed", cause=f"dissect's process: {error.strerror}") from error

    def _awaited(self, number: int, source: Source | None) -> bytes:
        while True:
            kind, data = self._receive(number)
            if kind == WANT and source is not None:
                self._lend(number, source, *struct.unpack("<QQ", data))
            elif kind == ANSWER:
                return data
            elif kind == FAILED:
                word, _, cause = data.decode("utf-8", "replace").partition("\0")
                raise ParseError(_REASONS.get(word, "outside.failed"), cause=f"dissect: {cause}")
            else:
                raise ParseError("outside.failed", cause="dissect's process answered nonsense")

    def _lend(self, number: int, source: Source, offset: int, length: int) -> None:
        try:
            self._send(number, BYTES, source.read_at(offset, min(length, MAX_WANT)))
        except ParseError as error:
            self._send(number, FAILED, error.cause.encode())

    def _send(self, number: int, kind: int, data: bytes) -> None:
        for at in range(0, len(data) or 1, PART):
            os.write(self._fd, HEAD.pack(number, kind, at + PART < len(data)) + data[at : at + PART])

    def _receive(self, number: int) -> tuple[int, bytes]:
        """Return the next message of a request; those for askers that have died are passed over."""
        parts: list[bytes] = []
        size = 0
        while True:
            record = self._record()
            if len(record) < HEAD.size or size > MAX_ANSWER:
                raise ParseError("outside.failed", cause="dissect's process ended" if not record else "too long")
            of, kind, more = HEAD.unpack_from(record)
            if of != number:
                continue
            parts.append(record[HEAD.size :])
            size += len(record)
            if not more:
                return kind, b"".join(parts)

    def _record(self) -> bytes:
        until = time.monotonic() + PATIENCE_SECONDS
        while not select.select([self._fd], [], [], 1.0)[0]:
            if time.monotonic() > until:
                raise ParseError("outside.failed", cause="dissect's process does not answer")
        return os.read(self._fd, HEAD.size + PART)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out: a lock that the kernel takes back from one that dies."""
        fcntl.lockf(self._lock_file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._lock_file, fcntl.LOCK_UN)

    def close(self) -> None:
        """End the driver, from the process that started it."""
        self._socket.close()
        self._lock_file.close()
        self._process.kill()
        self._process.wait()


def _started(python: str, end: int) -> subprocess.Popen[bytes]:
    """Start the driver, its text as an argument. It becomes nobody once dissect is loaded, wherever that lies."""
    text = Path(driver.__file__).read_text("utf-8")
    return subprocess.Popen(
        [python, "-I", "-B", "-c", text, str(end)], cwd="/", pass_fds=(end,), preexec_fn=_bound, start_new_session=True,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _bound() -> None:
    os.umask(0o077)
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CPU, CPU_SECONDS)):
        _, hard = resource.getrlimit(kind)
        most = most if hard < 0 else min(most, hard)
        resource.setrlimit(kind, (most, most))


@contextmanager
def _as_nonsense() -> Iterator[None]:
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ParseError("outside.failed", cause=f"dissect's process answered nonsense: {error}"[:200]) from error


def interpreter_of(named: str) -> str:
    """Return the interpreter that a user means by an interpreter, a virtual environment, or one of dissect's programs.

    Raises `ParseError` where there is none.
    """
    path = Path(named)
    found = str(path / "bin" / "python") if path.is_dir() else shutil.which(named)
    if found is None or not os.access(found, os.X_OK):
        raise ParseError("outside.missing", cause=f"{named} is not there")
    with open(found, "rb") as file:
        first = file.read(1024).partition(b"\n")[0]
    if not first.startswith(b"#!") or os.path.basename(found).startswith("python"):
        return os.path.abspath(found)
    words = os.fsdecode(first[2:]).split()
    word = words[0] if words and not words[0].endswith("/env") else (shutil.which(words[1]) if words[1:] else None)
    if word is None or "python" not in os.path.basename(word):
        raise ParseError("outside.missing", cause=f"{named} is no interpreter and no program of dissect")
    return os.path.abspath(word)


def keys_in(path: str | None) -> tuple[str, ...]:
    """Return the keys of a file, one a line: recovery keys and passphrases; `ParseError` where it cannot be read."""
    if path is None:
        return ()
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read(MAX_KEY_FILE).splitlines()
    except OSError as error:
        raise ParseError("outside.missing", cause=f"{path}: {error.strerror}") from error
    return tuple(line for line in lines if line)[:MAX_KEYS]


_reader: Reader | None = None
_trouble = ""


def prepare(settings: Settings | None) -> None:
    """Start the reader of this process and those forked from it; `ParseError` where it cannot be."""
    global _reader, _trouble
    _reader, _trouble = None, ""
    try:
        _reader = None if settings is None else Reader(settings)
    except ParseError as error:
        _trouble = error.cause
        raise


def why_closed(kind: str) -> ParseError:
    """Return what to say of a kind where there is no reader."""
    hint = _trouble or "an installed dissect may open it (--dissect)"
    return ParseError("image.unsupported", cause=f"{kind} is not opened here; {hint}")


def reader() -> Reader | None:
    """Return the reader, if it was asked for and could be started."""
    return _reader


def opens(kind: str | None) -> bool:
    """Whether a kind that nothing here opens may be opened now."""
    return kind in KINDS and _reader is not None


__all__ = [
    "KINDS",
    "VOLUMES",
    "Given",
    "Reader",
    "Settings",
    "interpreter_of",
    "keys_in",
    "opens",
    "prepare",
    "reader",
    "why_closed",
]
