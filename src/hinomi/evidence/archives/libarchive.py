"""RAR's packing methods, undone by the system's libarchive (BSD licence, libarchive.org) where it is installed.

A binding of a dozen functions instead of a package: only the two RAR formats are switched on, and the library is
loaded without starting a program, which a confined process could not. It is native code on hostile data, so it is
loaded in processes only that have given up their rights: a crash costs the file.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache
from typing import Any

from hinomi.evidence import confinement
from hinomi.evidence.archives.source import Source
from hinomi.evidence.archives.streams import UnsupportedError
from hinomi.model.errors import ParseError

NAME = "libarchive.so.13"
PIECE = 256 << 10
_OK, _EOF, _WARN, _FATAL = 0, 1, -20, -30
_READ = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p))
_SKIP = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
_SEEK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int)


@cache
def library() -> ctypes.CDLL | None:
    """Return libarchive; None where it is not installed or this process could still do harm."""
    if not confinement.is_confined():
        return None
    try:
        found = ctypes.CDLL(NAME)
        found.archive_read_new.restype = ctypes.c_void_p
        found.archive_read_data.restype = ctypes.c_ssize_t
        found.archive_error_string.restype = ctypes.c_char_p
        found.archive_read_support_format_rar5  # noqa: B018 - since 3.4
    except (OSError, AttributeError):
        return None
    return found


class Unpacker:
    """The members of one RAR archive, in order, by their number; folders count too."""

    def __init__(self, source: Source) -> None:
        """Take the archive; nothing is read yet."""
        self._source = source
        self._at = 0
        self._piece: Any = None
        self._callbacks = (_READ(self._read), _SKIP(self._skip), _SEEK(self._seek))  # referenced from C: kept alive
        self._handle: ctypes.c_void_p | None = None
        self._entry = ctypes.c_void_p()
        self._next = 0
        self._library: Any = library()
        self._broken: ParseError | None = None

    def content(self, number: int) -> Iterator[bytes]:
        """Yield a member's content, before that of any later one; `ParseError` where that cannot be."""
        if self._library is None:
            raise UnsupportedError("archive.unsupported", cause="packed RAR member (libarchive is not here)")
        if self._handle is None:
            self._open()
        while self._next <= number:
            self._advance()
        buffer = ctypes.create_string_buffer(PIECE)
        while (got := self._library.archive_read_data(self._handle, buffer, ctypes.c_size_t(PIECE))) > 0:
            yield buffer.raw[:got]
        if got < 0:
            raise self._error(int(got))

    def _open(self) -> None:
        lib = self._library
        handle = self._handle = ctypes.c_void_p(lib.archive_read_new())
        lib.archive_read_support_format_rar(handle)
        lib.archive_read_support_format_rar5(handle)
        read, skip, seek = self._callbacks
        lib.archive_read_set_read_callback(handle, read)
        lib.archive_read_set_skip_callback(handle, skip)
        lib.archive_read_set_seek_callback(handle, seek)
        lib.archive_read_set_callback_data(handle, None)  # without it the library reads through a null pointer
        if lib.archive_read_open1(handle) != _OK:
            self._error(_FATAL)

    def _advance(self) -> None:
        """Go to the next member; what came before a failure stands."""
        if self._broken is not None:
            raise self._broken
        answer = self._library.archive_read_next_header(self._handle, ctypes.byref(self._entry))
        self._next += 1
        if answer == _EOF:
            self._broken = ParseError("archive.damaged", cause="RAR: fewer members than listed")
            raise self._broken
        if answer <= _FATAL:
            raise self._error(answer)

    def _error(self, answer: int) -> ParseError:
        """Return libarchive's complaint: fatal is damage, less is what it does not know."""
        said = (self._library.archive_error_string(self._handle) or b"unknown").decode("utf-8", "replace")[:200]
        unknown = "unsupport" in said.lower() or "unavailable" in said.lower()
        error = UnsupportedError if unknown else ParseError
        found = error("archive.unsupported" if unknown else "archive.damaged", cause=f"RAR: {said}")
        if answer <= _FATAL:
            self._broken = found
        return found

    def _read(self, _handle: int, _data: int, place: Any) -> int:
        try:
            piece = self._source.read_at(self._at, PIECE)
        except ParseError:
            return _FATAL
        self._piece = ctypes.create_string_buffer(piece, len(piece)) if piece else ctypes.create_string_buffer(1)
        place[0] = ctypes.addressof(self._piece)
        self._at += len(piece)
        return len(piece)

    def _skip(self, _handle: int, _data: int, length: int) -> int:
        moved = max(0, min(length, self._source.size - self._at))
        self._at += moved
        return moved

    def _seek(self, _handle: int, _data: int, offset: int, whence: int) -> int:
        self._at = max(0, (0, self._at, self._source.size)[whence] + offset) if whence in (0, 1, 2) else self._at
        return self._at

    def __del__(self) -> None:
        if self._handle is not None:
            self._library.archive_read_free(self._handle)
