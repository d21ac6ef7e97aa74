"""What a watcher of files reports, whichever part of the kernel it listens to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

CONTENT = 0x1  # written, or closed after writing
ATTRIBUTES = 0x2
CREATED = 0x4
REMOVED = 0x8
MOVED = 0x10
EXECUTED = 0x20  # opened to be run: no change
FOLDER = 0x40  # the entry is a folder

URGENT = ATTRIBUTES | CREATED | REMOVED | MOVED | EXECUTED


class FileEvent(NamedTuple):
    """One entry to look at again. `pid` is 0 where the backend does not tell who."""

    path: bytes
    what: int
    pid: int = 0
    alive: bool | None = None  # whether that process still ran when the event was read; None: not told


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a backend could not tell: why, and which folder it may be about."""

    reason: str  # queue-overflow, vanished-folder, watch-limit
    place: bytes
    number: int = 1


@dataclass(frozen=True, slots=True)
class Marked:
    """Whether a mount or folder is listened to, and if not, why."""

    place: str
    kind: str
    ok: bool
    cause: str = ""


class Backend(Protocol):
    """A way to hear of file changes."""

    name: str

    def fileno(self) -> int:
        """Return the descriptor that becomes readable; -1 where there is none (polling)."""

    def read(self) -> tuple[list[FileEvent], list[Loss]]:
        """Return what has been reported since, without waiting, bounded per call."""

    def patience(self) -> float | None:
        """Return the seconds after which `read` may say something without anything being reported; None for never."""

    def mark(self) -> list[Marked]:
        """Listen to everything in scope that is there now; called again when mounts change."""

    def close(self) -> None:
        """Stop listening."""
