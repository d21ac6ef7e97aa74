"""What stat(2) lacks: birth time and inode flags, from statx(2) where the kernel and the C library have it."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import cache
from threading import local

from hinomi.evidence.inodeflags import STATX

_AT_SYMLINK_NOFOLLOW = 0x100
_WANTS_BTIME = 0x800
_SIZE = 256
_FIELDS = struct.Struct("<I4xQ48x16xqI").unpack_from  # mask, attributes ... birth time
_KNOWN_AT = 56  # the mask of attributes that the file system knows
_buffers = local()

Extras = tuple[float | None, int | None]  # birth time in seconds since 1970 UTC, inode flags as FS_*_FL
UNKNOWN: Extras = (None, None)


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


def extras_of(name: bytes, folder: int) -> Extras:
    """Return what `name` in an open folder is beyond stat(2), links not followed; unknown parts are None."""
    call = _statx()
    if call is None:
        return UNKNOWN
    buffer, address = _buffer()
    if call(folder, name, _AT_SYMLINK_NOFOLLOW, _WANTS_BTIME, address) != 0:
        return UNKNOWN
    mask, attributes, seconds, nanoseconds = _FIELDS(buffer)
    born = seconds + nanoseconds / 1e9 if mask & _WANTS_BTIME and (seconds or nanoseconds) else None
    known = int.from_bytes(buffer[_KNOWN_AT : _KNOWN_AT + 8], "little")
    return born, attributes & STATX if known & STATX else None


def _buffer() -> tuple[bytearray, int]:
    """Return this thread's buffer and where it lies."""
    made: tuple[bytearray, int] | None = getattr(_buffers, "made", None)
    if made is None:
        buffer = bytearray(_SIZE)
        made = _buffers.made = buffer, ctypes.addressof((ctypes.c_char * _SIZE).from_buffer(buffer))
    return made
