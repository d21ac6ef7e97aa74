"""A file that is written to for months: log rotation may move it away or cut it, and what follows goes on in its place.

Nobody needs to tell the writer: each line looks whether the name still is the file that is open (logrotate's `create`),
and every write goes to the end there is now (its `copytruncate`).
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO


class FollowedFile:
    """Appends to whatever file has a name now."""

    def __init__(self, path: Path) -> None:
        """Open the file; `OSError` where that fails."""
        self._path = path
        self._file = path.open("ab")

    def write(self, data: bytes) -> None:
        """Append; where the name is gone or another file's, to one opened anew. `OSError` where that fails."""
        if not self._is_current():
            anew = self._path.open("ab")
            self._file.close()
            self._file = anew
        self._file.write(data)
        self._file.flush()

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file.fileno()))
        except OSError:
            return False

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Stream:
    """A stream that somebody else has opened: standard output."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        with suppress(OSError, ValueError):  # no descriptor behind it, or nothing that can be appended to
            descriptor = stream.fileno()
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)

    def write(self, data: bytes) -> None:
        """Write and flush."""
        self._stream.write(data)
        self._stream.flush()
