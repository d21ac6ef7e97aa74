"""Files without a name, for members of archives that are too large for memory.

A confined process can open nothing for writing: it is given its files before (`prepare`) and uses them again and
again. In any other process each is made when it is needed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

MAX_FILES = 14  # as many as archives may be nested, and one

_own: list[IO[bytes]] | None = None


class ScratchError(OSError):
    """All of this process's scratch files are in use."""


class Scratch:
    """One empty scratch file: `file` may be written and read at will until `close`."""

    def __init__(self, folder: str | None = None) -> None:
        """Take one, made in `folder` where it has to be made; `OSError` where there is none."""
        if _own is None:
            self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by `close`, unlinked from birth
        elif _own:
            self.file = _own.pop()
        else:
            raise ScratchError("no scratch file is left")

    def close(self) -> None:
        """Give it back, empty."""
        if _own is None:
            self.file.close()
        else:
            self.file.seek(0)
            self.file.truncate()
            _own.append(self.file)


def prepare(folder: Path | None) -> None:
    """Open this process's files, unlinked from birth, in `folder` or the system's place for such."""
    global _own
    where = str(folder) if folder is not None and folder.is_dir() else None
    _own = [tempfile.TemporaryFile(dir=where) for _ in range(MAX_FILES)]  # noqa: SIM115 - kept for the process's life
