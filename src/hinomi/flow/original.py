"""The original that a target is compared with: which of its file systems stands for which of the target's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hinomi.model.findings import Coverage

ARROW = " » "
Tables = dict[str, list[Path]]


@dataclass(slots=True)
class Original:
    """The rows of the original by the way in (empty for the outermost file system)."""

    name: str
    by_way: Mapping[str, Tables]
    not_examined: Coverage
    _used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, looks: Iterable[tuple[str, Tables, Coverage]]) -> Original:
        """Take the looks at one original, outermost first, as (target, tables, coverage)."""
        name, by_way, not_examined = "", {}, Coverage()
        for target, tables, coverage in looks:
            name = name or target
            by_way[_way(target)] = tables
            for miss in coverage.misses:
                not_examined.miss(
                    f"original:{miss.area}", miss.subject, miss.reason, miss.detail, transient=miss.transient
                )
        return cls(name, by_way, not_examined)

    def counterpart(self, target: str, coverage: Coverage) -> Tables | None:
        """Return the tables to compare a target's file system with; None, and a miss, where the original has none."""
        way = _way(target)
        if way not in self.by_way:
            coverage.miss("compare", target, "no-counterpart", self.name)
            return None
        self._used.add(way)
        return self.by_way[way]

    def tell_missing(self, coverage: Coverage) -> None:
        """Say what of the original was not read, and which of its file systems the target does not hold."""
        coverage.merge(self.not_examined)
        for way in sorted(self.by_way.keys() - self._used):
            coverage.miss("compare", way, "only-in-original", self.name)


def _way(target: str) -> str:
    return target.partition(ARROW)[2]
