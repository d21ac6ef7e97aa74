"""Ask the rules of a few rows, in a process of its own: only those rules that could say something new."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hinomi.detect.catalogue import Catalogue
from hinomi.detect.detect import detect
from hinomi.detect.indicator import Indicator
from hinomi.detect.rule import Rule
from hinomi.detect.sql import load_engine
from hinomi.flow.watching.apart import ApartError, apart
from hinomi.model.findings import Coverage, Finding
from hinomi.model.tables import TABLES, Row, table_of

SECONDS = 120.0
Numbered = tuple[Row, int]


class Rules:
    """All rules and indicators at hand."""

    def __init__(self, catalogue: Catalogue, indicators: Sequence[Indicator]) -> None:
        self._catalogue = catalogue
        self._indicators = indicators
        load_engine()

    def about(self, tables: Collection[str]) -> Catalogue:
        """Return the rules that ask about any of these tables."""
        wanted = frozenset(tables)
        return replace(self._catalogue, rules=tuple(r for r in self._catalogue.rules if _tables(r) & wanted))

    def ask(
        self,
        rows: Sequence[Numbered],
        changed: Collection[str],
        folder: Path,
        *,
        run: str,
        seen: str,
        coverage: Coverage,
    ) -> list[Finding]:
        """Return the findings among `rows` by the rules about the tables `changed`.

        `folder` is for temporary files. `OSError` where it is full; anything else that goes wrong is a miss.
        """
        rules = self.about(changed)

        def judge() -> tuple[list[Finding], Coverage]:
            return _judge(rows, rules, self._indicators, folder, run, seen)

        try:
            findings, said = apart(judge, SECONDS)
        except ApartError as error:
            coverage.miss("rules", run, "crashed", str(error))
            return []
        coverage.missed.update(said.missed)
        coverage.misses += said.misses[: max(0, 1000 - len(coverage.misses))]
        return findings


def _judge(
    rows: Sequence[Numbered], rules: Catalogue, indicators: Sequence[Indicator], folder: Path, run: str, seen: str
) -> tuple[list[Finding], Coverage]:
    coverage = Coverage()
    with TemporaryDirectory(dir=folder, prefix="asking-") as temporary:
        tables = write_numbered(Path(temporary), rows)
        return detect(tables, rules, indicators, target="/", run=run, coverage=coverage, seen=seen), coverage


def write_numbered(folder: Path, rows: Sequence[Numbered]) -> dict[str, list[Path]]:
    """Write rows as one Parquet file a table, with the numbers they have in their run; return the files by table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from hinomi.store.arrow import batch_of

    grouped: dict[str, dict[int, Row]] = defaultdict(dict)
    for row, number in rows:
        grouped[table_of(type(row)).name][number] = row
    result = {}
    for table, by_number in sorted(grouped.items()):
        numbers = sorted(by_number)
        batch = batch_of(TABLES[table], [by_number[n] for n in numbers], 0)
        columns = [*batch.columns[:-1], pa.array(numbers, pa.int64())]
        path = folder / f"{table}.parquet"
        pq.write_table(pa.Table.from_batches([pa.RecordBatch.from_arrays(columns, schema=batch.schema)]), path)
        result[table] = [path]
    return result


@lru_cache(maxsize=4096)
def _tables(rule: Rule) -> frozenset[str]:
    """Return the tables that a rule asks about."""
    if rule.kind == "yara":
        return frozenset({"content_matches"})
    if rule.kind == "advisory":
        return frozenset({"packages", "libraries"})
    return frozenset(word for word in re.findall(r"\w+", rule.body) if word in TABLES)
