"""Rows on their way to evidence: one text file per run, written ahead of everything that is told of them.

A row that has been appended survives the end of the process; a line cut in the middle is one that was never
acknowledged. When the run ends, or at the next start, the rows become Parquet like those of any scan.
"""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hinomi.model.tables import TABLES, Row, table_of

SUFFIX = ".rows"


class Spool:
    """The rows of one run. Each gets the number that it will have in the run's evidence."""

    def __init__(self, folder: Path, run: str) -> None:
        """Open or begin the run's file."""
        self.path = folder / f"{run}{SUFFIX}"
        self._numbers: Counter[str] = Counter()
        self.rows = 0
        if self.path.exists():
            for row in read_rows(self.path):
                self._numbers[table_of(type(row)).name] += 1
                self.rows += 1
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def append(self, rows: Iterable[Row]) -> list[int]:
        """Write rows and return their numbers; `OSError` (no space) leaves the file as it was."""
        numbers, lines, counted = [], [], Counter(self._numbers)
        for row in rows:
            table = table_of(type(row)).name
            numbers.append(counted[table])
            counted[table] += 1
            lines.append(json.dumps([table, {k: _text(v) for k, v in vars(row).items()}], separators=(",", ":")))
        if lines:
            self._write("".join(f"{line}\n" for line in lines).encode("ascii"))
        self._numbers = counted
        self.rows += len(lines)
        return numbers

    def _write(self, data: bytes) -> None:
        before = os.fstat(self._descriptor).st_size
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, before)
            raise

    def close(self) -> None:
        """Close the file; it stays."""
        os.close(self._descriptor)


def left_over(folder: Path) -> list[tuple[str, Path]]:
    """Return (run, file) of every spool in a folder, oldest first."""
    return [(path.name.removesuffix(SUFFIX), path) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a spool; a line that was cut off, or is of tables that no longer are, is left out."""
    with path.open("rb") as file:
        for line in file:
            try:
                table, values = json.loads(line)
                yield TABLES[table](**{name: _value(value) for name, value in values.items()})
            except (ValueError, KeyError, TypeError):
                continue


def _text(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode("ascii")} if isinstance(value, bytes) else value


def _value(value: Any) -> Any:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value
