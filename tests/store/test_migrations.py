"""A case of the first release opens in this one, and nothing in it is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, inspect, text

from hinomi.store.migrations.versions import v0001
from hinomi.store.schema import METADATA
from hinomi.store.state import HEAD, MIGRATIONS, open_state


def first_release(url: str) -> None:
    """Make the state of a first-release case, with one report, one decided claim and a journal entry."""
    from alembic import command
    from alembic.config import Config

    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, v0001.revision)
    with engine.begin() as state:
        state.exec_driver_sql(
            "INSERT INTO reports VALUES ('report--1', 'a.txt', 'ＫＡＷＡＲＡの観測', 'ja', NULL, 'kawara.example は C2。',"
            " '[]', '00', 'text/plain', '[]', '2026-01-01T00:00:00+00:00')"
        )
        state.exec_driver_sql(
            "INSERT INTO claims VALUES ('report--1', 'c1', 0, 'domain', 'kawara.example', NULL, 'kawara.example', 0, 14,"
            " 'malicious', NULL, 80, 'accepted', '', '{}', 'hanako', '2026-01-02T00:00:00+00:00', 'seen here')"
        )
    engine.dispose()


def test_the_first_release_made_only_its_own_tables(tmp_path: Path) -> None:
    first_release(f"sqlite:///{tmp_path / 'state.db'}")
    with sqlite3.connect(tmp_path / "state.db") as state:
        tables = {name for (name,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    state.close()
    assert tables == {"runs", "reports", "claims", "relations", "findings", "journal", "alembic_version"}


def test_an_old_case_is_upgraded_with_what_it_holds(tmp_path: Path, open_case: Any) -> None:
    url = open_case.state(tmp_path) or f"sqlite:///{tmp_path / 'state.db'}"
    first_release(url.replace("postgresql:", "postgresql+psycopg:"))
    with open_case(tmp_path) as case:
        kept = case.library.get("report--1")
        assert kept is not None
        assert [(c.value, c.status) for c in kept.claims] == [("kawara.example", "accepted")]
        assert [(d.who, d.why) for d in case.library.decisions("report--1")] == [("hanako", "seen here")]
        assert [f.report_id for f in case.library.search("kawara 観測")] == ["report--1"], "its text can be searched"
        assert case.library.allowed.entries() == []
        with case.engine.connect() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def test_migrations_end_in_the_declared_schema(tmp_path: Path, open_case: Any) -> None:
    engine = open_state(open_case.state(tmp_path) or f"sqlite:///{tmp_path / 'state.db'}")
    found = inspect(engine)
    for table in METADATA.sorted_tables:
        made = {c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(table.name)}
        assert made == {c.name: (str(c.type), bool(c.nullable)) for c in table.columns}, table.name
        assert {i["name"] for i in found.get_indexes(table.name)} == {i.name for i in table.indexes}
    engine.dispose()
