"""Rows in hand -> Parquet files as detection reads them: for rule cases and tests, which have no case folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from hinomi.model.tables import TABLES, Row, columns_of, table_of

_ZEROS: dict[Any, Any] = {str: "", int: 0, float: 0.0, bool: False, bytes: b""}
_FILE_DEFAULTS = {"kind": "file", "mode": 0o644, "links": 1}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "files": _FILE_DEFAULTS,
    "baseline_changes": {
        "what": "changed",
        "kind": "file",
        "mode": 0o644,
        "mode_before": 0o644,
        "uid": 0,
        "baseline": 1,
    },
    "elf": {"bits": 64, "machine": "EM_X86_64", "type": "dyn", "stripped": True, "static": False},
    "scripts": {"language": "shell", "lines": 1},
    "packages": {"manager": "dpkg", "path": "/var/lib/dpkg/status", "status": "installed"},
    "accounts": {"path": "/etc/passwd"},
    "sockets": {"protocol": "tcp"},
    "libraries": {"ecosystem": "maven", "state": "present"},
}


def filled(table: str, values: Mapping[str, Any]) -> Row:
    """Return a row of `values`; what is left out gets its default or a neutral value. KeyError for unknown columns."""
    cls = TABLES[table]
    columns = {c.name: _neutral(c.type) for c in columns_of(cls)}
    unknown = sorted(values.keys() - columns.keys())
    if unknown:
        raise KeyError(f"table {table} has no column {unknown[0]}")
    return cls(**(columns | _DEFAULTS.get(table, {}) | dict(values)))


def _neutral(hint: Any) -> Any:
    if get_origin(hint) is list:
        return []
    return None if type(None) in get_args(hint) else _ZEROS[hint]


def write_rows(folder: Path, rows: Iterable[Row]) -> dict[str, list[Path]]:
    """Write rows as one Parquet file per table, numbered from 0, and return the files by table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hinomi.store.arrow import batch_of, schema_of

    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[table_of(type(row)).name].append(row)
    result = {}
    for table, listed in sorted(grouped.items()):
        path = folder / f"{table}.parquet"
        cls = TABLES[table]
        pq.write_table(pa.Table.from_batches([batch_of(cls, listed, 0)], schema_of(cls)), path)
        result[table] = [path]
    return result
