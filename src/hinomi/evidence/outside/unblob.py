"""unblob as a carver: it finds where known formats begin and end in an unknown wrapper; our own readers read them.

unblob (MIT, https://unblob.org) is run as a program with `--skip-extraction`: it cuts the parts out as files named
`START-END.handler` and unpacks nothing, so that owners, modes and times are still those of the image.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hinomi.evidence.outside.program import run, work_area
from hinomi.model.errors import ParseError

MAX_CHUNKS = 256
MAX_FOLDERS = 1000
_CHUNK = re.compile(r"(\d{1,15})-(\d{1,15})\.(\w{1,40})")
QUOTA_FACTOR = 3  # parts may lie inside each other


class Chunk(NamedTuple):
    """A part that was cut out: its place in the file, what unblob takes it for, and the file that holds it."""

    start: int
    end: int
    handler: str
    path: Path


@contextmanager
def carved(program: str, image: Path, work: Path | None) -> Iterator[list[Chunk]]:
    """Give the known parts of a file, in order of their places; they are gone afterwards.

    Raises `ParseError` where unblob is not there, fails, or finds nothing.
    """
    found = shutil.which(program)
    if found is None:
        raise ParseError("outside.missing", cause=f"{program} is not there")
    with work_area(work) as folder:
        copy = folder / "image"
        _lend(image, copy)
        command = [found, "--skip-extraction", "--processes", "1", "--extract-dir", str(folder / "out"), str(copy)]
        (folder / "out").mkdir(mode=0o777)
        (folder / "out").chmod(0o777)
        run(command, folder, QUOTA_FACTOR * image.stat().st_size + (64 << 20))
        chunks = sorted(_chunks(folder / "out"))
        if not chunks:
            raise ParseError("image.unknown", cause="unblob finds no known part in it")
        yield chunks[:MAX_CHUNKS]


def _lend(image: Path, copy: Path) -> None:
    """Make the image readable to the program's user: another name of it where it may be read, else a copy."""
    if image.stat().st_mode & stat.S_IROTH and _reachable(image):
        copy.symlink_to(image.resolve())
        return
    shutil.copyfile(image, copy)
    copy.chmod(0o444)


def _reachable(image: Path) -> bool:
    """Whether every folder on the way lets anybody pass."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in image.resolve().parents)


def _chunks(out: Path) -> Iterator[Chunk]:
    """Yield the parts that lie in unblob's folder; names only are believed, and links are not."""
    for count, (at, _, names) in enumerate(os.walk(out)):
        if count > MAX_FOLDERS:
            return
        for name in names:
            match = _CHUNK.fullmatch(name)
            path = Path(at, name)
            if match is not None and stat.S_ISREG(path.lstat().st_mode):
                yield Chunk(int(match[1]), int(match[2]), match[3], path)
