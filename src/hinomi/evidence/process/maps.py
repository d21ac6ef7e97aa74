"""A process's memory map: what is mapped where, with which rights, and from which file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

MAX_LIBRARIES = 1000
MAX_DELETED = 100
_DELETED = b" (deleted)"
_NEWLINE = re.compile(rb"\\012")
# files without a name that stand for memory shared between processes
_SHARED = (b"/SYSV", b"/dev/zero", b"/anon_hugepage", b"anon_inode:", b"/[aio]", b"/memfd:")
_KERNEL = (b"[vdso]", b"[vsyscall]", b"[vvar]", b"[vvar_vclock]", b"[uprobes]", b"[vectors]", b"[sigpage]")


class Mapping(NamedTuple):
    """One line of /proc/PID/maps. `path` comes without the mark of deletion; empty for memory without a name."""

    start: int
    end: int
    permissions: bytes  # rwxp
    offset: int
    inode: int
    path: bytes
    deleted: bool

    @property
    def size(self) -> int:
        """Bytes of address space."""
        return self.end - self.start

    @property
    def executable(self) -> bool:
        """Whether code in it can run."""
        return b"x" in self.permissions

    @property
    def writable(self) -> bool:
        """Whether it can be written to."""
        return b"w" in self.permissions

    @property
    def kind(self) -> str:
        """What lies behind: anonymous, heap, stack, shared, memfd, deleted, file or special."""
        if self.path.startswith(b"/memfd:"):
            return "memfd"
        if self.path.startswith(_SHARED) or self.path.startswith(b"[anon_shmem:"):
            return "shared"
        if self.path.startswith(b"/"):
            return "deleted" if self.deleted else "file"
        return self._unnamed_kind()

    def _unnamed_kind(self) -> str:
        if self.path in _KERNEL:
            return "special"
        if self.path == b"[heap]":
            return "heap"
        if self.path.startswith(b"[stack"):
            return "stack"
        return "shared" if b"s" in self.permissions else "anonymous"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a memory map says about a process as a whole."""

    deleted: tuple[bytes, ...] = ()  # files mapped executable that are gone
    writable_executable: int = 0  # regions without a file that are writable and executable
    libraries: tuple[bytes, ...] = ()  # files mapped executable


def parse(lines: Iterable[bytes]) -> Iterator[Mapping]:
    """Read `start-end permissions offset device inode path` lines; what the kernel cannot have printed is skipped."""
    for line in lines:
        mapping = parse_line(line)
        if mapping is not None:
            yield mapping


def parse_line(line: bytes) -> Mapping | None:
    """Read one line; None for one that is no mapping (the detail lines of smaps among them)."""
    parts = line.split(None, 5)
    if len(parts) < 5 or len(parts[1]) != 4 or b"-" not in parts[0]:
        return None
    first, _, last = parts[0].partition(b"-")
    try:
        start, end, offset, inode = int(first, 16), int(last, 16), int(parts[2], 16), int(parts[4])
    except ValueError:
        return None
    path = _NEWLINE.sub(b"\n", parts[5].rstrip(b"\n")) if len(parts) > 5 else b""
    deleted = path.endswith(_DELETED)
    return Mapping(start, max(start, end), parts[1], offset, inode, path.removesuffix(_DELETED), deleted)


def summary(mappings: Iterable[Mapping]) -> Summary:
    """Sum a map up: gone files, writable code, libraries (each once, in order of their addresses)."""
    gone: dict[bytes, None] = {}
    libraries: dict[bytes, None] = {}
    writable = 0
    for mapping in mappings:
        if not mapping.executable:
            continue
        kind = mapping.kind
        if kind in ("file", "deleted", "memfd"):
            libraries[mapping.path] = None
        if kind in ("deleted", "memfd"):
            gone[mapping.path] = None
        elif mapping.writable and kind not in ("file", "special"):
            writable += 1
    return Summary(tuple(gone)[:MAX_DELETED], writable, tuple(libraries)[:MAX_LIBRARIES])
