"""The entries of a baseline as one Arrow table in order of their paths, and the stamps of its folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from hinomi.model.stamps import STAMP_BYTES, stamp_of

_WORD = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("path", pa.binary()),
        ("kind", _WORD),
        ("mode", pa.int32()),
        ("uid", pa.int64()),
        ("gid", pa.int64()),
        ("size", pa.int64()),
        ("inode", pa.uint64()),
        ("links", pa.int64()),
        ("blocks", pa.int64()),
        ("mtime", pa.int64()),  # nanoseconds since 1970 UTC, as all times here
        ("ctime", pa.int64()),
        ("btime", pa.int64()),
        ("device", _WORD),
        ("link", pa.binary()),
        ("sha256", pa.binary(32)),
        ("xattrs", _WORD),
        ("capabilities", _WORD),
        ("acl", _WORD),
        ("label", _WORD),
        ("flags", _WORD),
        ("text", pa.binary()),
        ("package", _WORD),
    ]
)
NOT_COMPARED = frozenset({"path", "text", "package"})
ATTRIBUTES = tuple(name for name in SCHEMA.names if name not in NOT_COMPARED)
PLACE = frozenset({"inode", "ctime", "btime", "blocks", "links"})  # of the copy, not of what was copied
STAMPS = pa.schema([("folder", pa.binary()), ("stamp", pa.binary(STAMP_BYTES))])
_CLAMP = (1 << 63) - 1


def table_of(rows: Iterable[Sequence[Any]], packages: Sequence[str | None] | None = None) -> pa.Table:
    """Return measured rows (their fields are the columns up to `text`) as a table sorted by path."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in SCHEMA.names[:-1]]
    columns.append(list(packages) if packages is not None else [None] * len(columns[0]))
    arrays = [_array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
    return sorted_by_path(pa.Table.from_arrays(arrays, schema=SCHEMA))


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        texts = pa.array([None if value is None else _storable(value) for value in values], pa.string())
        return texts.dictionary_encode().cast(kind)
    try:
        return pa.array(values, kind)
    except (OverflowError, pa.ArrowInvalid):  # crafted images claim any number
        return pa.array(
            [v if v is None or isinstance(v, bytes) else max(-_CLAMP, min(v, _CLAMP)) for v in values], kind
        )


def _storable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def sorted_by_path(table: pa.Table) -> pa.Table:
    """Return the table in byte order of its paths."""
    import pyarrow.compute as pc

    if table.num_rows < 2:
        return table
    order = pc.sort_indices(table.column("path"))
    return table.take(order).combine_chunks()


def index_of(table: pa.Table) -> dict[bytes, int]:
    """Return the row number of each path."""
    return {path: number for number, path in enumerate(table.column("path").to_pylist())}


def row_of(table: pa.Table, number: int) -> dict[str, Any]:
    """Return one entry by its columns' names."""
    return {name: table.column(name)[number].as_py() for name in table.column_names}


def stamps_of(table: pa.Table) -> pa.Table:
    """Return the stamp of every folder that has entries."""
    names = ("path", "inode", "size", "ctime")
    order = sorted(zip(*(table.column(name).to_pylist() for name in names), strict=True), key=_folder_and_name)
    folders: list[bytes] = []
    stamps: list[bytes] = []
    start = 0
    for end in range(1, len(order) + 1):
        folder = _folder(order[start][0])
        if end < len(order) and _folder(order[end][0]) == folder:
            continue
        group = [row for row in order[start:end] if row[0] != b"/"]
        if group:
            paths, inodes, sizes, ctimes = zip(*group, strict=True)
            folders.append(folder)
            stamps.append(stamp_of([p.rpartition(b"/")[2] for p in paths], inodes, sizes, ctimes))
        start = end
    return pa.table([folders, stamps], schema=STAMPS)


def _folder(path: bytes) -> bytes:
    return path.rpartition(b"/")[0] or b"/"


def _folder_and_name(row: Sequence[Any]) -> tuple[bytes, bytes]:
    folder, _, name = row[0].rpartition(b"/")
    return folder or b"/", name


def counts_of(table: pa.Table) -> Mapping[str, int]:
    """Return how many entries there are of each kind."""
    import pyarrow.compute as pc

    kinds = pc.value_counts(table.column("kind").cast(pa.string()))
    return {item["values"]: item["counts"] for item in sorted(kinds.to_pylist(), key=lambda i: str(i["values"]))}


def replaced(old: pa.Table, new: pa.Table, paths: Iterable[bytes]) -> pa.Table:
    """Return `old` with these paths as `new` has them; those that it lacks are left out."""
    import pyarrow.compute as pc

    chosen = pa.array(sorted(paths), pa.binary())
    kept = old.filter(pc.invert(pc.is_in(old.column("path"), value_set=chosen)))
    taken = new.filter(pc.is_in(new.column("path"), value_set=chosen))
    return sorted_by_path(pa.concat_tables([kept, taken]).unify_dictionaries())
