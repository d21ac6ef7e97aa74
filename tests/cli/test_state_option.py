"""The state can be kept apart from the case's folder, by `hinomi.toml` or the environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def state_of(ran: Any) -> str:
    return next(c["detail"] for c in json.loads(ran.out) if c["name"] == "state")


def test_the_state_is_where_the_settings_say(hinomi: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_of(hinomi.with_case("doctor", "--format", "json")).endswith("case/state.db")
    (tmp_path / "hinomi.toml").write_text(f'state = "sqlite:///{tmp_path}/team.db"\n')
    (tmp_path / "note.txt").write_text("The implant calls kawara.example.")
    assert hinomi.with_case("read", "note.txt").code == 0
    assert state_of(hinomi.with_case("doctor", "--format", "json")).endswith("team.db")
    listed = hinomi("library", "list", "--case", str(tmp_path / "another"), "--format", "json")
    assert [r["source"] for r in json.loads(listed.out)] == ["note.txt"], "another folder, the same state"
    monkeypatch.setenv("HINOMI_STATE", "mysql://elsewhere/x")
    refused = hinomi.with_case("library", "list")
    assert refused.code == 4
    assert "PostgreSQL" in refused.err
