"""Where the state lives, and what is said where it cannot be opened."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from hinomi.model.claims import Claim, Report
from hinomi.model.errors import ConfigError, PermissionDeniedError
from hinomi.model.findings import Coverage
from hinomi.store.case import Case, CasePlace
from hinomi.store.state import open_state

OpenCase = Any


def test_words_that_no_database_holds_keep_their_place(tmp_path: Path, open_case: OpenCase) -> None:
    text = "a\0b\ud800 kawara.example"
    claim = Claim("c", "behaviour", "長い文。" * 3000, "kawara.example", (5, 19), attributes={"said": "\0\ud800"})
    report = Report("r", "s\0", "t", "en", "2026-01-01" * 9, text, (), (claim,), media_type="text/" + "x" * 200)
    with open_case(tmp_path) as case:
        case.library.add(report)
        kept = case.library.get("r")
        assert kept is not None
        assert kept.text == "a\u2400b\ufffd kawara.example"
        assert kept.text[slice(*kept.claims[0].span)] == "kawara.example"
        assert kept.claims[0].value == claim.value
        case.journal.append("tested", text="\0\ud800")
        assert case.journal.broken_at() is None


def test_machines_that_share_a_state_leave_each_others_runs_alone(tmp_path: Path, open_case: OpenCase) -> None:
    state = open_case.state(tmp_path) or f"sqlite:///{tmp_path / 'shared.db'}"
    here, there = CasePlace(tmp_path / "here", state), CasePlace(tmp_path / "there", state)
    with Case.open(here) as case:
        run = case.begin_run(target="/", kind="live", host="here")
        with Case.open(there) as other:
            assert [r.host for r in other.runs("running")] == ["here"]
            assert other.runs("interrupted") == []
        run.finish(Coverage())
        with Case.open(there) as other:
            assert [r.host for r in other.runs()] == ["here"]
            assert other.journal.broken_at() is None


def test_a_password_is_never_shown() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(PermissionDeniedError) as caught:
        open_state("postgresql://me:geheim@127.0.0.1:1/db?connect_timeout=2&password=geheim")
    assert caught.value.code == "state.unreachable"
    assert "geheim" not in str(caught.value)
    assert caught.value.place == "postgresql://me:***@127.0.0.1:1/db"


@pytest.mark.parametrize("url", ["mysql://localhost/x", "no url at all", "oracle://"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_state(url)
    assert caught.value.code == "state.unknown"


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError) as caught:
        open_state("postgresql://localhost/x")
    assert caught.value.code == "state.no-driver"


def test_a_state_that_goes_away_in_the_middle_is_an_error_of_ours(tmp_path: Path) -> None:
    with Case.open(tmp_path) as case:
        with case.engine.connect() as connection:
            connection.exec_driver_sql("DROP TABLE journal")
            connection.commit()
        with pytest.raises(PermissionDeniedError) as caught:
            case.journal.append("tested")
        assert caught.value.code == "state.lost"
