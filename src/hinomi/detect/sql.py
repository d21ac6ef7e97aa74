"""DuckDB over the evidence of one run: views for every table, macros, vocabularies, and nothing else within reach."""

from __future__ import annotations

import csv
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, get_args, get_origin

from hinomi.detect.catalogue import BUILT_IN
from hinomi.detect.macros import MACROS
from hinomi.model.errors import RuleError
from hinomi.model.tables import TABLES, columns_of

MEMORY_LIMIT = "120MB"
QUERY_SECONDS = 20.0
DATA_FOLDER = BUILT_IN / "data"
BEFORE = "before"  # the schema of the state that a run is compared with
_TYPES = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", bytes: "BLOB"}


class QueryTimeoutError(Exception):
    """A query took longer than its budget and was interrupted."""


@dataclass(frozen=True, slots=True)
class Result:
    """Column names and rows of one query; `truncated` where more rows were there than asked for."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool = False

    def dicts(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a mapping."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)


class Queries:
    """SELECTs over an in-memory DuckDB connection: bounded in rows and time, and nothing they change lasts."""

    def __init__(self, connection: Any, present: Iterable[str], *, compared: bool = False) -> None:
        """Take a connection that holds the views or tables; `present` are the tables that have rows."""
        self.connection = connection
        self.compared = compared
        self._present = frozenset(present)
        self._parsed: dict[str, Any] = {}

    def has(self, table: str) -> bool:
        """Whether the run has any row of a table."""
        return table in self._present

    def query(
        self, sql: str, parameters: Sequence[Any] = (), *, limit: int = 10_000, seconds: float = QUERY_SECONDS
    ) -> Result:
        """Run one SELECT; `RuleError` where it is no single SELECT or fails, `QueryTimeoutError` past `seconds`."""
        import duckdb

        cursor = self.connection.cursor()
        try:
            statement = self.parsed(sql)
            cursor.begin()  # never committed: a query that changes something changes it for nobody else
            with _interrupted_after(cursor, seconds):
                cursor.execute(statement, list(parameters))
                columns = tuple(d[0] for d in cursor.description or ())
                rows = cursor.fetchmany(limit + 1)
        except duckdb.InterruptException as error:
            raise QueryTimeoutError(f"more than {seconds:g} s") from error
        except duckdb.Error as error:
            raise RuleError("rule.sql", cause=str(error).splitlines()[0]) from error
        finally:
            cursor.close()
        return Result(columns, rows[:limit], truncated=len(rows) > limit)

    def parsed(self, sql: str) -> Any:
        """Return a SELECT's syntax tree, made once; `RuleError` where it is no single SELECT."""
        import duckdb

        known = self._parsed.get(sql)
        if known is None:
            try:
                known = _single_select(self.connection, sql)
            except duckdb.Error as error:
                raise RuleError("rule.sql", cause=str(error).splitlines()[0]) from error
            self._parsed[sql] = known
        return known

    def bind(self, sql: str) -> tuple[str, ...]:
        """Return the columns a query would give without running it; `RuleError` where it does not bind."""
        import duckdb

        cursor = self.connection.cursor()
        try:
            self.parsed(sql)
            return tuple(row[0] for row in cursor.execute(f"DESCRIBE ({sql.rstrip().rstrip(';')}\n)").fetchall())
        except duckdb.Error as error:
            raise RuleError("rule.sql", cause=str(error).splitlines()[0]) from error
        finally:
            cursor.close()


class Evidence(Queries):
    """A locked, in-memory DuckDB connection whose views hold the evidence. A context manager.

    `tables` maps a table's name to its Parquet files, each with a `row` column. With `partitions` the files may be of
    many runs, and every view has the columns `host` and `run` from their folders (`host=…/run=…`). `before` holds the
    tables of an earlier or original state; its views are in the schema `before` (`before.files`). Queries are single
    SELECTs; they read those files and the vocabularies of `rules/data`, and can neither write, reach other files nor
    change settings.
    """

    def __init__(
        self,
        tables: Mapping[str, Sequence[Path]],
        *,
        partitions: bool = False,
        before: Mapping[str, Sequence[Path]] | None = None,
    ) -> None:
        self._temp = TemporaryDirectory(prefix="hinomi-sql-")
        present = (name for name, paths in tables.items() if paths)
        super().__init__(connect(self._temp.name), present, compared=before is not None)
        earlier = before or {}
        files = [str(path) for held in (tables, earlier) for paths in held.values() for path in paths]
        self.problems: list[tuple[str, str]] = []  # (table, cause) of evidence that cannot be read
        self.connection.execute(f"CREATE SCHEMA {BEFORE}")
        for name in TABLES:
            self._make_view(f'"{name}"', name, tables.get(name, ()), partitions)
            self._make_view(f'{BEFORE}."{name}"', name, earlier.get(name, ()), partitions)
        self.connection.execute(vocabulary_script() + MACROS)
        lock(self.connection, files)

    def __enter__(self) -> Evidence:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and drop its temporary folder."""
        self._parsed.clear()
        self.connection.close()
        self._temp.cleanup()

    def _make_view(self, view: str, table: str, files: Sequence[Path], partitions: bool) -> None:
        import duckdb

        try:
            self.connection.execute(_view(view, table, files, partitions))
        except duckdb.Error as error:
            self.problems.append((view.replace('"', ""), str(error).splitlines()[0]))
            self.connection.execute(_view(view, table, (), partitions))


def connect(temporary: str, memory: str = MEMORY_LIMIT) -> Any:
    """Return a new in-memory connection. One thread: the order of list() and first() stays the same from run to run."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory, "threads": 1, "temp_directory": temporary,
        "autoinstall_known_extensions": False, "autoload_known_extensions": False, "max_temp_directory_size": "2GB",
    }  # fmt: skip
    return duckdb.connect(":memory:", config=config)


def engine_library() -> Path:
    """Return the file of the engine's compiled part, once something has used it; an empty path where it has none."""
    compiled = sys.modules.get("_duckdb") or sys.modules.get("duckdb.duckdb")
    return Path(getattr(compiled, "__file__", None) or "").resolve()


def lock(connection: Any, files: Sequence[str]) -> None:
    """Let queries reach `files` and nothing else, and change no setting."""
    connection.execute(f"SET allowed_paths={_literal_list(files)}")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")


@cache
def vocabulary_script() -> str:
    """Return the SQL that makes a table of every vocabulary."""
    script = ""
    for path in sorted(DATA_FOLDER.glob("*.csv")):
        header, rows = read_vocabulary(path)
        columns = ", ".join(f'"{name}" VARCHAR' for name in header)
        script += f'CREATE TABLE "{path.stem}" ({columns});'
        values = ", ".join("(" + ", ".join(map(_literal, row)) + ")" for row in rows)
        script += f'INSERT INTO "{path.stem}" VALUES {values};' if rows else ""
    return script


def read_vocabulary(path: Path) -> tuple[list[str], list[list[str | None]]]:
    """Read a vocabulary: `#` comment lines, a header, rows; an empty cell is null."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(line for line in file if not line.startswith("#") and line.strip())
        header = next(lines)
        rows: list[list[str | None]] = [[cell.strip() or None for cell in row] for row in lines]
    wrong = next((row for row in rows if len(row) != len(header)), None)
    if wrong is not None:
        raise RuleError("rule.vocabulary", place=str(path), cause=f"not {len(header)} cells: {wrong}")
    return header, rows


def sql_type(hint: Any) -> str:
    """Return the DuckDB type of a column's Python type."""
    if get_origin(hint) is list:
        return f"{sql_type(get_args(hint)[0])}[]"
    if hint in _TYPES:
        return _TYPES[hint]
    return next(sql_type(argument) for argument in get_args(hint) if argument is not type(None))


def _view(view: str, table: str, files: Sequence[Path], partitions: bool) -> str:
    """Return the view's SQL. Columns that older runs lack are null; the types are the declared ones."""
    declared = f"CREATE VIEW {view} AS {empty_table(table, partitions)}"
    if not files:
        return declared
    listed = _literal_list([str(path) for path in files])
    hive = "hive_partitioning=true, hive_types_autocast=false" if partitions else "hive_partitioning=false"
    return f"{declared} UNION ALL BY NAME SELECT * FROM read_parquet({listed}, union_by_name=true, {hive})"


@cache
def empty_table(table: str, partitions: bool) -> str:
    """Return a SELECT of no rows with a table's columns in their types."""
    labels = [("host", "VARCHAR"), ("run", "VARCHAR")] if partitions else []
    columns = [*labels, ("row", "BIGINT"), *((c.name, sql_type(c.type)) for c in columns_of(TABLES[table]))]
    return "SELECT " + ", ".join(f'NULL::{kind} AS "{column}"' for column, kind in columns) + " WHERE false"


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _literal_list(values: Sequence[str]) -> str:
    return "[" + ", ".join(_literal(value) for value in values) + "]"


def _single_select(connection: Any, sql: str) -> Any:
    import duckdb

    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise RuleError("rule.sql", cause="the query must be a single SELECT")
    return statements[0]


@contextmanager
def _interrupted_after(cursor: Any, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # a thread alive at the interpreter's end would keep the connection and be told as a leak
