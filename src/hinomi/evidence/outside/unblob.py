"""unblob as a finder: it says where known formats begin and end in an unknown wrapper; our own readers read them.

unblob (MIT, https://unblob.org) is run as a program with `--skip-extraction --report`: it unpacks and carves nothing.
Its parts are then read in place, so owners, modes and times are still those of the image.
"""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from hinomi.evidence.outside.program import run, work_area
from hinomi.model.errors import ParseError

MAX_PARTS = 256
MAX_REPORT = 64 << 20
ROOM = 64 << 20  # bytes it may write beside a copy of the image


class Part(NamedTuple):
    """A known part of a file: its first byte, the one behind its last, and what unblob takes it for."""

    start: int
    end: int
    handler: str


def parts_of(program: str, image: Path, work: Path | None) -> list[Part]:
    """Return the known parts of a file in order of their places, at most 256.

    Raises `ParseError` where unblob is not there, fails, or finds nothing.
    """
    found = shutil.which(program)
    if found is None:
        raise ParseError("outside.missing", cause=f"{program} is not there")
    size = image.stat().st_size
    with work_area(work) as folder:
        report = folder / "report.json"
        lent = _lend(image, folder / "image")
        command = [found, "--skip-extraction", "--process-num", "1", "--extract-dir", str(folder)]
        run([*command, "--log", str(folder / "log"), "--report", str(report), str(lent)], folder, size + ROOM)
        parts = sorted(set(_parts(_read(report), size)))
    if not parts:
        raise ParseError("image.unknown", cause="unblob finds no known part in it")
    return parts[:MAX_PARTS]


def _lend(image: Path, copy: Path) -> Path:
    """Return a path by which the program's user can read the image: its own, else that of a copy."""
    real = image.resolve()
    if real.stat().st_mode & stat.S_IROTH and all(parent.stat().st_mode & stat.S_IXOTH for parent in real.parents):
        return real
    shutil.copyfile(real, copy)
    copy.chmod(0o444)
    return copy


def _read(report: Path) -> list[dict[str, Any]]:
    """Return what unblob reports of the image itself; `ParseError` where that makes no sense."""
    try:
        if report.is_symlink() or report.stat().st_size > MAX_REPORT:
            raise ValueError("too large")
        return [one for one in json.loads(report.read_bytes())[0]["reports"] if isinstance(one, dict)]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise ParseError("outside.failed", cause=f"unblob's report: {error}") from error


def _parts(reports: list[dict[str, Any]], size: int) -> Iterator[Part]:
    for one in reports:
        start, end, handler = one.get("start_offset"), one.get("end_offset"), one.get("handler_name")
        if one.get("__typename__") != "ChunkReport" or not (isinstance(start, int) and isinstance(end, int)):
            continue
        if 0 <= start < end <= size:
            yield Part(start, end, str(handler)[:40])
