"""Every table's rows have one telling, printable line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect.rowset import filled
from hinomi.detect.shows import line, shown_rows
from hinomi.detect.sql import Evidence
from hinomi.model.tables import TABLES, columns_of


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_table_is_told(table: str, tables) -> None:
    texts = {c.name: f"<{c.name}>" for c in columns_of(TABLES[table]) if c.type in (str, str | None)}
    with Evidence(tables(**{table: [texts, {}]})) as evidence:
        shown = shown_rows(evidence, [(table, 0), (table, 1), (table, 99)])
    assert set(shown) == {(table, 0), (table, 1)}
    assert "<" in shown[(table, 0)]


def test_what_the_line_says() -> None:
    row = filled(
        "files", {"path": "/a", "size": 7, "mode": 0o4755, "mtime": 0.5, "owner": "root", "package_state": "unowned"}
    )
    values = {c.name: getattr(row, c.name) for c in columns_of(type(row))}
    assert line("files", values) == "/a file 7 B 4755 root 1970-01-01T00:00:00Z unowned"
    assert line("files", {**values, "mtime": 1e300}).startswith("/a file")
    row = filled(
        "script_actions",
        {"path": "/s", "line": 3, "action": "starts", "object": "/b", "command": "/b &", "loop_interval": 5.0},
    )
    assert (
        line("script_actions", {c.name: getattr(row, c.name) for c in columns_of(type(row))})
        == "/s:3: starts /b [/b &] every=5.0"
    )


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.text(max_size=400), st.floats(allow_nan=True, allow_infinity=True))
def test_hostile_values_stay_on_one_bounded_line(text: str, number: float) -> None:
    row = filled("files", {"path": text, "mtime": number, "link_target": text})
    shown = line("files", {c.name: getattr(row, c.name) for c in columns_of(type(row))})
    assert len(shown) <= 300 and "\n" not in shown and "\x1b" not in shown
