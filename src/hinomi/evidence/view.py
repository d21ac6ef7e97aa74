"""What every target looks like to a collector: a read-only tree of entries whose paths are bytes.

A view never leaves its target: links are resolved inside it, special files are never opened, and nothing is written.
Paths are absolute inside the target (`b"/etc/passwd"`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal, NamedTuple, Protocol

from hinomi.model.findings import Coverage

EntryKind = Literal["file", "directory", "symlink", "fifo", "socket", "block-device", "character-device"]


class Entry(NamedTuple):
    """One directory entry, not following links. Times are seconds since 1970 UTC."""

    path: bytes
    kind: EntryKind
    size: int
    mode: int
    uid: int
    gid: int
    inode: int
    device: int
    links: int
    mtime: float
    ctime: float
    btime: float | None = None
    link_target: bytes | None = None
    blocks: int | None = None  # 512-byte blocks really allocated (sparse files hold less than their size)
    mtime_ns: int | None = None  # the same times in whole nanoseconds, where the source is a live file system
    ctime_ns: int | None = None
    flags: int | None = None  # inode flags (FS_*_FL) as far as the source tells

    @property
    def name(self) -> bytes:
        """The last part of the path."""
        return self.path.rsplit(b"/", 1)[-1]


class FileSystemView(Protocol):
    """A read-only tree. Methods that read raise `OSError` for what cannot be read and nothing else."""

    def walk(self, coverage: Coverage) -> Iterator[Entry]:
        """Yield every entry under `/` once, parents first, names in byte order; what cannot be listed is a miss."""

    def entry(self, path: bytes) -> Entry | None:
        """Return the entry at `path`, parents' links resolved inside the target; None where nothing is there."""

    def listdir(self, path: bytes) -> list[bytes]:
        """Return the names in a folder in byte order; empty where it is missing or no folder."""

    def open(self, path: bytes) -> BinaryIO:
        """Open a regular file for reading (seekable); `OSError` for anything else. Links are resolved inside."""

    def read(self, path: bytes, limit: int) -> bytes:
        """Return at most `limit` bytes of a regular file."""

    def resolve(self, path: bytes) -> bytes | None:
        """Follow links inside the target to the final existing path; None for broken links, loops and escapes."""

    def xattrs(self, path: bytes) -> dict[str, bytes]:
        """Return extended attributes; empty where the view has none."""
