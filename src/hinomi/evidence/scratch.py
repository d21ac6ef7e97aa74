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
_lanes: list[list[IO[bytes]]] = []  # for the workers that a confined process will start


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
            self._empty()  # a process that had it before may have died
        else:
            raise ScratchError("no scratch file is left")

    def close(self) -> None:
        """Give it back, empty."""
        if _own is None:
            self.file.close()
        else:
            self._empty()
            _own.append(self.file)

    def _empty(self) -> None:
        self.file.seek(0)
        self.file.truncate()


def prepare(folder: Path | None, lane: int = 0) -> None:
    """Open this process's files, unlinked from birth, in `folder` or the system's place for such.

    In a process below one that has reserved files for its workers, those of its `lane` are taken instead.
    """
    global _own
    _own = _lanes[lane % len(_lanes)] if _lanes else _files(folder, MAX_FILES)


def reserve(folder: Path | None, own: int, lanes: int) -> None:
    """Open `own` files for this process, and those of `lanes` workers that will work below it at once."""
    global _own, _lanes
    _own = _files(folder, own)
    _lanes = [_files(folder, MAX_FILES) for _ in range(max(1, lanes))]


def _files(folder: Path | None, number: int) -> list[IO[bytes]]:
    where = str(folder) if folder is not None and folder.is_dir() else None
    return [tempfile.TemporaryFile(dir=where) for _ in range(number)]
