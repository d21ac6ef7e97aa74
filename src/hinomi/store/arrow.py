"""Arrow schemas and record batches made from the declared tables."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any, get_args

import pyarrow as pa

from hinomi.model.tables import Row, columns_of, table_of

_ARROW: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
    list[str]: pa.list_(pa.string()),
    list[int]: pa.list_(pa.int64()),
}


_SCHEMAS: dict[str, pa.Schema] = {}


def schema_of(cls: type[Row]) -> pa.Schema:
    """Return the Arrow schema of a table: its columns, then `row` (its number within table and run)."""
    name = table_of(cls).name
    if name not in _SCHEMAS:
        _SCHEMAS[name] = _schema(cls)
    return _SCHEMAS[name]


def _schema(cls: type[Row]) -> pa.Schema:
    fields = [pa.field(c.name, _arrow_type(c.type), metadata={"doc": c.doc}) for c in columns_of(cls)]
    return pa.schema([*fields, pa.field("row", pa.int64(), metadata={"doc": "Row number within table and run."})])


def _arrow_type(annotation: Any) -> pa.DataType:
    if annotation in _ARROW:
        return _ARROW[annotation]
    inner = [a for a in get_args(annotation) if a is not NoneType]
    return _ARROW[inner[0]]


def batch_of(cls: type[Row], rows: Sequence[Row], first_row: int) -> pa.RecordBatch:
    """Turn rows of one table into a record batch whose `row` counts from `first_row`."""
    schema = schema_of(cls)
    arrays = [_array([getattr(r, f.name) for r in rows], f.type) for f in list(schema)[:-1]]
    arrays.append(pa.array(range(first_row, first_row + len(rows)), pa.int64()))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(values: list[Any], arrow_type: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, arrow_type)
    except (UnicodeEncodeError, pa.ArrowInvalid, OverflowError):
        return pa.array([_storable(v, arrow_type) for v in values], arrow_type)


def _storable(value: Any, arrow_type: pa.DataType) -> Any:
    """Make one hostile value storable: bytes that are no UTF-8 become `\\xNN`, huge numbers are cut to 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, list):
        return [_storable(v, arrow_type.value_type) for v in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(1 << 63), min(value, (1 << 63) - 1))
    return value
