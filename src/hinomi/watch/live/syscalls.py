"""The few system calls that Python has no name for, through the C library; numbers from Linux's own headers."""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

AT_FDCWD = -100

FAN_CLOEXEC = 0x1
FAN_NONBLOCK = 0x2
FAN_UNLIMITED_QUEUE = 0x10
FAN_UNLIMITED_MARKS = 0x20
FAN_REPORT_PIDFD = 0x80
FAN_REPORT_FID = 0x200
FAN_REPORT_DIR_FID = 0x400
FAN_REPORT_NAME = 0x800
FAN_REPORT_TARGET_FID = 0x1000

FAN_MARK_ADD = 0x1
FAN_MARK_REMOVE = 0x2
FAN_MARK_FILESYSTEM = 0x100

FAN_MODIFY = 0x2
FAN_ATTRIB = 0x4
FAN_CLOSE_WRITE = 0x8
FAN_MOVED_FROM = 0x40
FAN_MOVED_TO = 0x80
FAN_CREATE = 0x100
FAN_DELETE = 0x200
FAN_OPEN_EXEC = 0x1000
FAN_Q_OVERFLOW = 0x4000
FAN_RENAME = 0x10000000
FAN_ONDIR = 0x40000000
FAN_EVENT_ON_CHILD = 0x08000000

IN_MODIFY = 0x2
IN_ATTRIB = 0x4
IN_CLOSE_WRITE = 0x8
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x1000000
IN_DONT_FOLLOW = 0x2000000
IN_EXCL_UNLINK = 0x4000000
IN_ISDIR = 0x40000000

MAX_HANDLE = 128  # MAX_HANDLE_SZ
LARGE = 4 << 20
_MADV_DONTNEED = 4
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


class FileHandle(ctypes.Structure):
    """`struct file_handle` with room for the longest handle."""

    _fields_ = (
        ("size", ctypes.c_uint),
        ("kind", ctypes.c_int),
        ("data", ctypes.c_ubyte * MAX_HANDLE),
    )


class FileSystemFacts(ctypes.Structure):
    """The start of `struct statfs` up to the identity of the file system, with room for the rest."""

    _fields_ = (
        ("kind", ctypes.c_long),
        ("block_size", ctypes.c_long),
        ("blocks", ctypes.c_ulong),
        ("free", ctypes.c_ulong),
        ("available", ctypes.c_ulong),
        ("files", ctypes.c_ulong),
        ("files_free", ctypes.c_ulong),
        ("identity", ctypes.c_ubyte * 8),
        ("rest", ctypes.c_ubyte * 256),
    )


@cache
def _libc() -> Any:
    library = ctypes.CDLL(None, use_errno=True)
    library.fanotify_mark.argtypes = (
        ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p,
    )  # fmt: skip
    library.fanotify_init.argtypes = (ctypes.c_uint, ctypes.c_uint)
    library.open_by_handle_at.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
    library.inotify_add_watch.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
    library.fstatfs.argtypes = (ctypes.c_int, ctypes.c_void_p)
    return library


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def fanotify_init(flags: int) -> int:
    """Return a new fanotify group; `OSError` where the kernel or our rights have none with these flags."""
    try:
        return _checked(_libc().fanotify_init(flags, os.O_RDONLY | os.O_CLOEXEC))
    except AttributeError as error:  # another C library, another system
        raise OSError("no fanotify in this C library") from error


def fanotify_mark(group: int, flags: int, mask: int, path: bytes) -> None:
    """Add or remove a mark."""
    _checked(_libc().fanotify_mark(group, flags, mask, AT_FDCWD, path))


def open_by_handle(mount: int, handle: bytes) -> int:
    """Open what a handle names as a path descriptor. `handle` is its type (4 bytes) and its bytes, as in an event."""
    given = FileHandle()
    given.size = len(handle) - 4
    given.kind = int.from_bytes(handle[:4], "little", signed=True)
    ctypes.memmove(given.data, handle[4:], min(len(handle) - 4, MAX_HANDLE))
    return _checked(_libc().open_by_handle_at(mount, ctypes.byref(given), os.O_PATH | os.O_CLOEXEC))


def file_system_identity(descriptor: int) -> bytes:
    """Return the 8 bytes by which events name the file system of an open file."""
    facts = FileSystemFacts()
    _checked(_libc().fstatfs(descriptor, ctypes.byref(facts)))
    return bytes(facts.identity)


def inotify_init() -> int:
    """Return a new inotify instance."""
    return _checked(_libc().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))


def inotify_add_watch(instance: int, path: bytes, mask: int) -> int:
    """Watch a folder and return the watch's number."""
    return _checked(_libc().inotify_add_watch(instance, path, mask))


def end_with(parent: int) -> None:
    """Let this process be ended by the kernel when its parent ends."""
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "prctl"):
        library.prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def give_back() -> None:
    """Give memory back to the system: what was freed, and what is mapped from large libraries."""
    trim()
    let_go_of_code()


def trim() -> None:
    """Give back what was freed (glibc's malloc_trim)."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def let_go_of_code() -> None:
    """Give back the pages of large libraries: code, constants, and the tables that were read once, to load them.

    They are mapped from files and come back from the page cache when they are used again, in the pieces that are used.
    """
    library = ctypes.CDLL(None)
    with suppress(OSError):
        maps = Path("/proc/self/maps").read_text("utf-8", "replace").splitlines()
        for start, end in _intact(tuple(filter(_is_large_library, maps))):
            library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


def _is_large_library(mapping: str) -> bool:
    """Whether a line of `maps` is of a large part of a file, private and read-only."""
    place, rights, rest = mapping.split(" ", 2)
    start, end = _ends(place)
    return rights in ("r-xp", "r--p") and "/" in rest and end - start >= LARGE


def _ends(place: str) -> tuple[int, int]:
    start, _, end = place.partition("-")
    return int(start, 16), int(end, 16)


@lru_cache(maxsize=1)  # to ask for it takes many times as long as to list them
def _intact(mappings: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Return (start, end) of those of `mappings` whose every page is as in its file, so that nothing is lost.

    What the loader wrote to before it was made read-only (the addresses in a library's data) is not.
    """
    places, at, found = {line.partition(" ")[0] for line in mappings}, "", []
    for line in Path("/proc/self/smaps").read_text("utf-8", "replace").splitlines():
        word, _, rest = line.partition(" ")
        if not word.endswith(":"):
            at = word
        elif word == "Anonymous:" and at in places and rest.split() == ["0", "kB"]:
            found.append(_ends(at))
    return tuple(found)
