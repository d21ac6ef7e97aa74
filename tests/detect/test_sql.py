"""The locked connection: what queries see, and what they cannot do."""

from __future__ import annotations

from contextlib import suppress

import pytest

from hinomi.detect.rowset import filled, write_rows
from hinomi.detect.sql import DATA_FOLDER, Evidence, QueryTimeoutError, read_vocabulary, sql_type
from hinomi.model.errors import RuleError
from hinomi.model.tables import TABLES, columns_of


def test_every_table_is_a_view_with_its_columns_and_row() -> None:
    with Evidence({}) as evidence:
        for name, cls in TABLES.items():
            result = evidence.query(f'SELECT * FROM "{name}"')
            assert set(result.columns) == {"row", *(c.name for c in columns_of(cls))}
            assert result.rows == []


def test_rows_come_back_as_written(tables) -> None:
    written = tables(files=[{"path": "/a\udcff\n", "mode": 0o4755, "xattrs": ["user.x"]}, {"path": "/b"}])
    with Evidence(written) as evidence:
        rows = evidence.query("SELECT row, path, mode, xattrs FROM files ORDER BY row").rows
    assert rows == [(0, "/a\\xff\n", 0o4755, ["user.x"]), (1, "/b", 0o644, [])]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM '/etc/passwd.csv'",
        "COPY (SELECT 1) TO '/tmp/hinomi-must-not-be-written'",
        "ATTACH '/tmp/hinomi-must-not-be-written.db'",
        "SET memory_limit='10GB'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CREATE TABLE t AS SELECT 1",
        "DELETE FROM known_daemons",
        "SELECT 1; SELECT 2",
        "",
        "SELEC",
        "SELECT nothing FROM files",
        "PRAGMA database_list",
    ],
)
def test_queries_reach_nothing_else(sql: str) -> None:
    with Evidence({}) as evidence, pytest.raises(RuleError):
        evidence.query(sql)


def test_evidence_files_cannot_be_overwritten(tables) -> None:
    written = tables(files=[{"path": "/a"}])
    before = written["files"][0].read_bytes()
    with Evidence(written) as evidence, pytest.raises(RuleError):
        evidence.query(f"COPY (SELECT 1) TO '{written['files'][0]}'")
    assert written["files"][0].read_bytes() == before


def test_one_query_changes_nothing_for_the_next() -> None:
    with Evidence({}) as evidence:
        before = evidence.query("SELECT count(*) FROM known_daemons").rows
        with suppress(RuleError):
            evidence.query("WITH gone AS (DELETE FROM known_daemons RETURNING *) SELECT count(*) FROM gone")
        assert evidence.query("SELECT count(*) FROM known_daemons").rows == before


def test_a_query_past_its_time_is_interrupted_and_the_next_runs() -> None:
    with Evidence({}) as evidence:
        with pytest.raises(QueryTimeoutError):
            evidence.query(
                "SELECT count(*) FROM range(100000000) a, range(1000000) b WHERE a.range % 7 = 1", seconds=0.3
            )
        assert evidence.query("SELECT 1").rows == [(1,)]


def test_memory_is_bounded() -> None:
    with Evidence({}) as evidence, pytest.raises(RuleError, match="Memory"):
        evidence.query("SELECT list(a.range || '-' || b.range) FROM range(100000) a, range(1000) b")


def test_results_are_bounded_and_say_so() -> None:
    with Evidence({}) as evidence:
        result = evidence.query("SELECT * FROM range(100)", limit=10)
        assert (len(result.rows), result.truncated) == (10, True)
        assert not evidence.query("SELECT * FROM range(10)", limit=10).truncated


def test_a_damaged_file_costs_its_table_only(tables, tmp_path) -> None:
    written = tables(elf=[{"path": "/a"}])
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 not really")
    with Evidence({**written, "files": [broken]}) as evidence:
        assert [table for table, _ in evidence.problems] == ["files"]
        assert evidence.query("SELECT count(*) FROM files").rows == [(0,)]
        assert evidence.query("SELECT count(*) FROM elf").rows == [(1,)]


def test_paths_with_quotes_are_read(tmp_path) -> None:
    folder = tmp_path / 'it\'s "odd"'
    folder.mkdir()
    with Evidence(write_rows(folder, [filled("files", {"path": "/a"})])) as evidence:
        assert evidence.query("SELECT path FROM files").rows == [("/a",)]


def test_partitions_give_host_and_run(tmp_path) -> None:
    folder = tmp_path / "host=web%2F1" / "run=007"
    folder.mkdir(parents=True)
    with Evidence(write_rows(folder, [filled("files", {"path": "/a"})]), partitions=True) as evidence:
        assert evidence.query("SELECT host, run, path FROM files").rows == [("web/1", "007", "/a")]
        assert "host" in evidence.query("SELECT * FROM elf").columns


def test_missing_columns_of_older_runs_are_null(tmp_path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "old.parquet"
    pq.write_table(pa.table({"row": pa.array([0], pa.int64()), "path": ["/a"]}), path)
    with Evidence({"files": [path]}) as evidence:
        assert evidence.query("SELECT path, sha256, xattrs FROM files").rows == [("/a", None, None)]


def test_bind_tells_columns_without_running() -> None:
    with Evidence({}) as evidence:
        assert evidence.bind("SELECT path AS subject, row AS files_row FROM files -- a comment") == (
            "subject",
            "files_row",
        )
        with pytest.raises(RuleError, match="nowhere"):
            evidence.bind("SELECT * FROM nowhere")


@pytest.mark.parametrize("path", sorted(DATA_FOLDER.glob("*.csv")), ids=lambda p: p.stem)
def test_vocabularies_are_whole_and_name_their_licence(path) -> None:
    header, rows = read_vocabulary(path)
    assert {"name", "pattern"} & set(header) and len(rows) > 5
    assert len({tuple(row) for row in rows}) == len(rows)
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert any("Apache-2.0" in line for line in comments)


def test_sql_types_follow_the_declarations() -> None:
    assert [sql_type(hint) for hint in (str, int | None, float, list[str], list[int], bytes | None, bool)] == [
        "VARCHAR", "BIGINT", "DOUBLE", "VARCHAR[]", "BIGINT[]", "BLOB", "BOOLEAN",
    ]  # fmt: skip


def test_the_state_before_stands_beside_the_state_now(tables, tmp_path) -> None:
    (tmp_path / "before").mkdir()
    earlier = write_rows(tmp_path / "before", [filled("files", {"path": "/gone"}), filled("files", {"path": "/stays"})])
    with Evidence(tables(files=[{"path": "/stays"}, {"path": "/new"}]), before=earlier) as evidence:
        assert evidence.compared
        rows = evidence.query("SELECT path FROM files WHERE path NOT IN (SELECT path FROM before.files)").rows
        gone = evidence.query("SELECT path FROM before.files WHERE path NOT IN (SELECT path FROM files)").rows
    assert (rows, gone) == ([("/new",)], [("/gone",)])


def test_without_a_state_before_its_views_are_empty(tables) -> None:
    with Evidence(tables(files=[{"path": "/a"}])) as evidence:
        assert not evidence.compared
        assert evidence.query("SELECT * FROM before.files").rows == []
