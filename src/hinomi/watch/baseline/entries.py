"""The entries of a baseline as one Arrow table in order of their paths, and the stamps of its folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from hinomi.model.stamps import STAMP_BYTES, stamp_of

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = {  # name: kind, as `schema` has it
    "path": "bytes",
    "kind": "word",
    "mode": "int32",
    "uid": "int64",
    "gid": "int64",
    "size": "int64",
    "inode": "uint64",
    "links": "int64",
    "blocks": "int64",
    "mtime": "int64",  # nanoseconds since 1970 UTC, as all times here
    "ctime": "int64",
    "btime": "int64",
    "device": "word",
    "link": "bytes",
    "sha256": "digest",
    "xattrs": "word",
    "capabilities": "word",
    "acl": "word",
    "label": "word",
    "flags": "word",
    "text": "bytes",
    "package": "word",
}
NOT_COMPARED = frozenset({"path", "text", "package"})
ATTRIBUTES = tuple(name for name in COLUMNS if name not in NOT_COMPARED)
PLACE = frozenset({"inode", "ctime", "btime", "blocks", "links"})  # of the copy, not of what was copied
_CLAMP = (1 << 63) - 1


@cache
def schema() -> pa.Schema:
    """Return the Arrow schema of a table of entries. Arrow is loaded where tables are: the watcher has none."""
    import pyarrow as pa

    word = pa.dictionary(pa.int32(), pa.string())
    kinds = {"bytes": pa.binary(), "word": word, "digest": pa.binary(32), "int32": pa.int32(), "int64": pa.int64(),
             "uint64": pa.uint64()}  # fmt: skip
    return pa.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])


def table_of(rows: Iterable[Sequence[Any]], packages: Sequence[str | None] | None = None) -> pa.Table:
    """Return measured rows (their fields are the columns up to `text`) as a table sorted by path."""
    import pyarrow as pa

    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(len(COLUMNS) - 1)]
    columns.append(list(packages) if packages is not None else [None] * len(columns[0]))
    arrays = [_array(values, field.type) for values, field in zip(columns, schema(), strict=True)]
    return sorted_by_path(pa.Table.from_arrays(arrays, schema=schema()))


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

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
    import pyarrow as pa

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
    stamped = pa.schema([("folder", pa.binary()), ("stamp", pa.binary(STAMP_BYTES))])
    return pa.table([folders, stamps], schema=stamped)


def _folder(path: bytes) -> bytes:
    return path.rpartition(b"/")[0] or b"/"


def _folder_and_name(row: Sequence[Any]) -> tuple[bytes, bytes]:
    folder, _, name = row[0].rpartition(b"/")
    return folder or b"/", name


def counts_of(table: pa.Table) -> Mapping[str, int]:
    """Return how many entries there are of each kind."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = pc.value_counts(table.column("kind").cast(pa.string()))
    return {item["values"]: item["counts"] for item in sorted(kinds.to_pylist(), key=lambda i: str(i["values"]))}


def replaced(old: pa.Table, new: pa.Table, paths: Iterable[bytes]) -> pa.Table:
    """Return `old` with these paths as `new` has them; those that it lacks are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chosen = pa.array(sorted(paths), pa.binary())
    kept = old.filter(pc.invert(pc.is_in(old.column("path"), value_set=chosen)))
    taken = new.filter(pc.is_in(new.column("path"), value_set=chosen))
    return sorted_by_path(pa.concat_tables([kept, taken]).unify_dictionaries())
