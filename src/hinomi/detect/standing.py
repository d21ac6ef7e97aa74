"""Evidence that stands: tables in memory, filled and emptied row by row, for who asks the same rules again and again.

Nothing is written to disk and every rule is parsed once, so asking a few rules of a few rows takes as long as planning
their queries. The connection is locked from the start: it reaches no file at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hinomi.detect.macros import MACROS
from hinomi.detect.sql import BEFORE, Queries, connect, empty_table, lock, sql_type, vocabulary_script
from hinomi.model.errors import RuleError
from hinomi.model.tables import TABLES, Row, columns_of

MEMORY_LIMIT = "48MB"
MAX_HOLES = 2_000  # rows taken away from a table: with more of them than there are rows, it is copied
MAX_GONE = 1_000  # rows taken away, after which the engine is told to give their room back
CHUNK = 256  # rows taken in at once: the engine copies what it is given several times
_SOME_ROWS = "SELECT unnest(?::BIGINT[])"


class StandingEvidence(Queries):
    """One table in memory for every table there is (`Queries`); the state before is always empty."""

    def __init__(self, temporary: Path) -> None:
        """Make the empty tables. What does not fit into memory goes to the folder `temporary`."""
        super().__init__(connect(str(temporary), MEMORY_LIMIT), ())
        make_tables(self.connection)
        lock(self.connection, ())
        self._counts: Counter[str] = Counter()
        self._holes: Counter[str] = Counter()
        self._gone = 0

    def has(self, table: str) -> bool:
        """Whether a table has any row now."""
        return self._counts[table] > 0

    def parse(self, bodies: Iterable[str]) -> None:
        """Parse queries ahead; those that make no sense say so when they are asked."""
        for body in bodies:
            try:
                self.parsed(body)
            except RuleError:
                continue

    def put(self, table: str, rows: Sequence[Row], numbers: Sequence[int]) -> None:
        """Add rows of one table, each with its number."""
        names = [column.name for column in columns_of(TABLES[table])]
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            self._put([[getattr(row, name) for row in chunk] for name in names], table, numbers[start : start + CHUNK])

    def _put(self, columns: list[list[Any]], table: str, numbers: Sequence[int]) -> None:
        try:
            self.connection.execute(_insertion(table), [*columns, list(numbers)])
        except Exception:  # noqa: BLE001 - some value of a hostile name or number, which the engine names by text only
            storable = [[_storable(value) for value in column] for column in columns]
            self.connection.execute(_insertion(table), [*storable, list(numbers)])
        self._counts[table] += len(numbers)

    def drop(self, table: str, numbers: Sequence[int]) -> None:
        """Take rows of one table away by their numbers."""
        self._gone += len(numbers)
        if len(numbers) >= self._counts[table]:
            self.connection.execute(f'TRUNCATE "{table}"')
            self._counts[table] = self._holes[table] = 0
            return
        self.connection.execute(f'DELETE FROM "{table}" WHERE row IN ({_SOME_ROWS})', [list(numbers)])
        self._counts[table] -= len(numbers)
        self._holes[table] += len(numbers)
        if self._holes[table] > max(MAX_HOLES, self._counts[table]):
            self.connection.execute(f'CREATE OR REPLACE TABLE "{table}" AS SELECT * FROM "{table}"')
            self._holes[table] = 0

    def settle(self) -> None:
        """Give back the room of rows taken away, which the engine keeps until it is told to, also of emptied tables."""
        if self._gone > MAX_GONE:
            self.connection.execute("CHECKPOINT")
            self._gone = 0

    def empty(self) -> None:
        """Take all rows away."""
        self._gone += self._counts.total()
        for table in [name for name, number in self._counts.items() if number]:
            self.connection.execute(f'TRUNCATE "{table}"')
        self._counts.clear()
        self._holes.clear()


def make_tables(connection: Any) -> None:
    """Make every table, empty, with the vocabularies and macros that rules use."""
    connection.execute(f"CREATE SCHEMA {BEFORE}")
    for name in TABLES:
        connection.execute(f'CREATE TABLE "{name}" AS {empty_table(name, False)}')
        connection.execute(f'CREATE VIEW {BEFORE}."{name}" AS {empty_table(name, False)}')
    connection.execute(vocabulary_script() + MACROS)


@cache
def _insertion(table: str) -> str:
    """Return the SQL that adds rows given column by column."""
    columns = [(column.name, sql_type(column.type)) for column in columns_of(TABLES[table])]
    columns.append(("row", "BIGINT"))
    names = ", ".join(f'"{name}"' for name, _ in columns)
    values = ", ".join(f"unnest(?::{kind}[])" for _, kind in columns)
    return f'INSERT INTO "{table}" ({names}) SELECT {values}'


def _storable(value: Any) -> Any:
    """Make one hostile value storable, as evidence on disk does: bytes that are no UTF-8 become `\\xNN`."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, list):
        return [_storable(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-(1 << 63), min(value, (1 << 63) - 1))
    return value
