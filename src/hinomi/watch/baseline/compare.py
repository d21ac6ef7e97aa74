"""What differs between two tables of entries: added, removed, changed, and in which attribute. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hinomi.watch.baseline.entries import ATTRIBUTES, row_of

if TYPE_CHECKING:
    import pyarrow as pa

What = Literal["added", "removed", "changed"]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry that differs. `old` and `new` are whole entries by column name; None where there was or is none."""

    path: bytes
    what: What
    attributes: tuple[str, ...] = ()  # of a change: which differ
    old: Values | None = field(default=None, repr=False)
    new: Values | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """What stands or stood there."""
        values = self.new or self.old or {}
        return str(values["kind"])

    @property
    def content_changed(self) -> bool:
        """Whether what it holds differs (bytes, link target, kind), or it came or went."""
        return self.what != "changed" or not {"sha256", "link", "kind", "device"}.isdisjoint(self.attributes)


def compare(
    old: pa.Table, new: pa.Table, *, ignore: Collection[str] = (), removed_among: Collection[bytes] | None = None
) -> list[Difference]:
    """Compare two tables of `entries.schema`, both sorted by path; differences in path order.

    `ignore` are attributes that do not count. With `removed_among`, `new` is only part of the target, and of what it
    lacks only these paths are gone.
    """
    import pyarrow.compute as pc

    places = pc.index_in(new.column("path"), value_set=old.column("path").combine_chunks())
    was_there = pc.is_valid(places)
    found = [Difference(path, "added", new=values) for path, values in _rows(new.filter(pc.invert(was_there)))]
    before, now = old.take(places.filter(was_there)), new.filter(was_there)
    found += _changed(before, now, [name for name in ATTRIBUTES if name not in ignore])
    found += [Difference(path, "removed", old=values) for path, values in _rows(_gone(old, new, removed_among))]
    return sorted(found, key=lambda difference: difference.path)


def _gone(old: pa.Table, new: pa.Table, among: Collection[bytes] | None) -> pa.Table:
    """Return what only the old table has; rows are made of nothing else, a quick look measured next to nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if among is not None:
        old = old.filter(pc.is_in(old.column("path"), value_set=pa.array(among, pa.binary())))
    return old.filter(pc.invert(pc.is_in(old.column("path"), value_set=new.column("path").combine_chunks())))


def _changed(before: pa.Table, now: pa.Table, names: list[str]) -> list[Difference]:
    import pyarrow as pa

    by_row: dict[int, list[str]] = {}
    for name in names:
        for number in _unequal(before.column(name), now.column(name)):
            by_row.setdefault(number, []).append(name)
    numbers = sorted(by_row)
    chosen = pa.array(numbers, pa.int64())
    old_rows, new_rows = _rows(before.take(chosen)), _rows(now.take(chosen))
    return [
        Difference(path, "changed", tuple(by_row[number]), old, values)
        for number, (path, values), (_, old) in zip(numbers, new_rows, old_rows, strict=True)
    ]


def _unequal(a: pa.ChunkedArray, b: pa.ChunkedArray) -> list[int]:
    """Return the rows where two columns differ; null equals null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(a.type):
        a, b = a.cast(pa.string()), b.cast(pa.string())
    differs = pc.fill_null(pc.not_equal(a, b), False)
    one_null = pc.xor(pc.is_null(a), pc.is_null(b))
    found: list[int] = pc.indices_nonzero(pc.or_(differs, one_null)).to_pylist()
    return found


def _rows(table: pa.Table) -> list[tuple[bytes, Values]]:
    return [(row["path"], row) for row in table.to_pylist()]


def entry_of(table: pa.Table, number: int) -> Values:
    """Return one entry of a table by column name."""
    return row_of(table, number)
