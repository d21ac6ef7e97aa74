"""All that statx(2) says in one call: what stat(2) does, birth time and inode flags; where the system has it."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from functools import cache
from threading import local
from typing import NamedTuple

from hinomi.evidence.inodeflags import STATX

_AT_SYMLINK_NOFOLLOW = 0x100
_BASIC, _BTIME = 0x7FF, 0x800
_SIZE = 256
# mask, attributes, links, uid, gid, mode, inode, size, blocks, attributes known; birth, change, write; device
_FIELDS = struct.Struct("<I4xQIIIH2xQQQQ16xqI4xqI4xqI4x8xII").unpack_from
_buffers = local()
device_of = cache(os.makedev)

Extras = tuple[float | None, int | None]  # birth time in seconds since 1970 UTC, inode flags as FS_*_FL
UNKNOWN: Extras = (None, None)


class Status(NamedTuple):
    """What statx(2) says of one entry; times since 1970 UTC, in seconds as `os.stat` rounds them, and exactly."""

    mode: int
    size: int
    uid: int
    gid: int
    inode: int
    device: int
    links: int
    blocks: int
    mtime: float
    ctime: float
    mtime_ns: int
    ctime_ns: int
    btime: float | None
    flags: int | None


@cache
def _statx() -> Callable[..., int] | None:
    try:
        call = ctypes.CDLL(None).statx
    except (OSError, AttributeError):
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p]
    call.restype = ctypes.c_int
    found: Callable[..., int] = call
    return found


def status_of(name: bytes, folder: int) -> Status | None:
    """Return what `name` in an open folder is, links not followed; None where it is gone or nobody can say."""
    call = _statx()
    if call is None:
        return None
    buffer, address = _buffer()
    if call(folder, name, _AT_SYMLINK_NOFOLLOW, _BASIC | _BTIME, address) != 0:
        return None
    (
        mask, attributes, links, uid, gid, mode, inode, size, blocks, known,
        birth, birth_ns, changed, changed_ns, written, written_ns, major, minor,
    ) = _FIELDS(buffer)  # fmt: skip
    if mask & _BASIC != _BASIC:
        return None
    return Status(
        mode, size, uid, gid, inode, device_of(major, minor), links, blocks,
        written + 1e-9 * written_ns, changed + 1e-9 * changed_ns,
        written * 1_000_000_000 + written_ns, changed * 1_000_000_000 + changed_ns,
        birth + birth_ns / 1e9 if mask & _BTIME and (birth or birth_ns) else None,
        attributes & STATX if known & STATX else None,
    )  # fmt: skip


def extras_of(name: bytes, folder: int) -> Extras:
    """Return what `name` in an open folder is beyond stat(2), links not followed; unknown parts are None."""
    status = status_of(name, folder)
    return UNKNOWN if status is None else (status.btime, status.flags)


def _buffer() -> tuple[bytearray, int]:
    """Return this thread's buffer and where it lies."""
    made: tuple[bytearray, int] | None = getattr(_buffers, "made", None)
    if made is None:
        buffer = bytearray(_SIZE)
        made = _buffers.made = buffer, ctypes.addressof((ctypes.c_char * _SIZE).from_buffer(buffer))
    return made
