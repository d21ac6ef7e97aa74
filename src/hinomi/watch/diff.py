"""What differs between two looks at one target: entries added, removed, changed, and in which attribute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ATTRIBUTES = ("kind", "size", "mode", "uid", "gid", "sha256", "link_target", "mtime", "capabilities", "package_state")
BATCH_ROWS = 16_384


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that differs; `attributes` maps a changed attribute to its old and new value."""

    path: str
    what: Literal["added", "removed", "changed"]
    attributes: dict[str, tuple[Any, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the change as an object."""
        changed = {name: {"old": old, "new": new} for name, (old, new) in self.attributes.items()}
        return {"schema": "hinomi.change/1", "path": self.path, "what": self.what, "attributes": changed}


def compare(old: Sequence[Path], new: Sequence[Path]) -> list[Change]:
    """Compare the `files` tables of two runs (Parquet files); changes in path order.

    Folders' own times and sizes follow from their contents and are left out.
    """
    before = dict(_entries(old))
    changes = []
    for path, values in _entries(new):
        earlier = before.pop(path, None)
        if earlier is None:
            changes.append(Change(path, "added", {}))
        elif earlier != values and (differing := _differences(earlier, values)):
            changes.append(Change(path, "changed", differing))
    changes += [Change(path, "removed", {}) for path in before]
    return sorted(changes, key=lambda c: c.path)


def _differences(old: tuple[Any, ...], new: tuple[Any, ...]) -> dict[str, tuple[Any, Any]]:
    both = {name: (a, b) for name, a, b in zip(ATTRIBUTES, old, new, strict=True) if a != b}
    if old[0] == new[0] == "directory":
        both = {name: values for name, values in both.items() if name not in ("size", "mtime")}
    return both


def _entries(files: Sequence[Path]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    import pyarrow.parquet as pq

    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS, columns=["path", *ATTRIBUTES]):
            columns = [batch.column(name).to_pylist() for name in ("path", *ATTRIBUTES)]
            for path, *values in zip(*columns, strict=True):
                yield path, tuple(values)
