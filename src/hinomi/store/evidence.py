"""Evidence of one run: rows streamed to Parquet in bounded memory, visible only once they are whole."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from hinomi.model.tables import Row, table_of

if TYPE_CHECKING:
    import pyarrow.parquet as pq

BATCH_ROWS = 8192
PARTIAL = ".partial"


class EvidenceWriter:
    """Writes the rows of one run, table by table.

    Files carry the suffix `.partial` until `close`, so that a reader, or a run cut off at any moment, never shows
    half a file.
    """

    def __init__(self, evidence: Path, host: str, run: str, *, rows: int = BATCH_ROWS) -> None:
        """`rows` of a table are held until they are written at once."""
        self._rows = rows
        self._evidence = evidence
        self._folder = f"host={quote(host, safe='')[:200]}/run={run}"
        self._buffers: dict[type[Row], list[Row]] = defaultdict(list)
        self._written: dict[type[Row], int] = defaultdict(int)
        self._writers: dict[type[Row], tuple[Path, pq.ParquetWriter]] = {}

    def add(self, row: Row) -> None:
        """Take one row; it is on disk after `close`."""
        cls = type(row)
        buffer = self._buffers[cls]
        buffer.append(row)
        if len(buffer) >= self._rows:
            self._flush(cls)

    def close(self) -> dict[str, int]:
        """Write what is left, give the files their names and return the number of rows per table."""
        for cls in list(self._buffers):
            self._flush(cls)
        for path, writer in self._writers.values():
            writer.close()
            os.replace(path, path.with_suffix(""))
        if self._writers:
            self._writers.clear()
            _give_back()
        return {table_of(cls).name: count for cls, count in self._written.items()}

    def abandon(self) -> None:
        """Throw the partial files away."""
        for path, writer in self._writers.values():
            writer.close()
            path.unlink(missing_ok=True)
        self._writers.clear()

    def _flush(self, cls: type[Row]) -> None:
        from hinomi.store.arrow import batch_of

        rows = self._buffers[cls]
        if rows:
            self._writer(cls).write_batch(batch_of(cls, rows, self._written[cls]))
            self._written[cls] += len(rows)
            rows.clear()

    def _writer(self, cls: type[Row]) -> pq.ParquetWriter:
        if cls not in self._writers:
            import pyarrow.parquet as pq

            from hinomi.store.arrow import schema_of

            folder = self._evidence / table_of(cls).name / self._folder
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"part-0000.parquet{PARTIAL}"
            self._writers[cls] = (path, pq.ParquetWriter(path, schema_of(cls), compression="zstd"))
        return self._writers[cls][1]


def _give_back() -> None:
    """Return what the batches used to the system: the rules that come next need it."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
