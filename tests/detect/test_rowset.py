"""Rows in hand become the Parquet that detection reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect.rowset import filled, write_rows
from hinomi.detect.sql import Evidence
from hinomi.model.tables import TABLES, columns_of


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_table_has_neutral_values(table: str, tmp_path: Path) -> None:
    with Evidence(write_rows(tmp_path, [filled(table, {}), filled(table, {})])) as evidence:
        result = evidence.query(f'SELECT * FROM "{table}" ORDER BY row')
    assert [row["row"] for row in result.dicts()] == [0, 1]
    assert set(result.columns) == {"row", *(c.name for c in columns_of(TABLES[table]))}


def test_unknown_columns_and_tables_are_refused() -> None:
    with pytest.raises(KeyError, match="no column pfad"):
        filled("files", {"pfad": "/a"})
    with pytest.raises(KeyError):
        filled("no_table", {})


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.text(max_size=20), st.integers(), st.lists(st.text(max_size=5), max_size=3)), max_size=4))
def test_hostile_values_are_stored(tmp_path_factory: pytest.TempPathFactory, rows) -> None:
    folder = tmp_path_factory.mktemp("rows")
    made = [filled("files", {"path": path, "size": size, "xattrs": xattrs}) for path, size, xattrs in rows]
    with Evidence(write_rows(folder, made)) as evidence:
        assert evidence.query("SELECT count(*) FROM files").rows == [(len(rows),)]
