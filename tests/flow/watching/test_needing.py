"""What rules need is kept, and believed only for the rules and the program that it was found out with."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.detect.catalogue import load_rules
from hinomi.flow.watching import needing
from hinomi.flow.watching.needing import NAME, KeptNeeds
from hinomi.model.tables import TABLES

RULES = load_rules().of_kind("sql")[:3]
NEEDS = {RULES[0].id: frozenset({"files", "scripts"}), RULES[1].id: frozenset({"processes"})}


def test_what_is_kept_is_read_again_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    assert KeptNeeds(tmp_path, RULES).read() is None
    KeptNeeds(tmp_path, RULES).write(NEEDS)
    assert KeptNeeds(tmp_path, tuple(reversed(RULES))).read() == NEEDS
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
    KeptNeeds(tmp_path, RULES).write({})
    assert KeptNeeds(tmp_path, RULES).read() == {} and [p.name for p in tmp_path.iterdir()] == [NAME]


def test_another_rule_table_engine_or_program_is_found_out_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeptNeeds(tmp_path, RULES).write(NEEDS)
    changed = (replace(RULES[0], body=RULES[0].body + " "), *RULES[1:])
    for rules in (changed, RULES[:2], load_rules().of_kind("sql")[:4]):
        assert KeptNeeds(tmp_path, rules).read() is None
    for name, value in (("MACROS", "other"), ("TABLES", {}), ("version", lambda name: f"{name} 99")):
        with monkeypatch.context() as patch:
            patch.setattr(needing, name, value)
            needing._program.cache_clear()
            assert KeptNeeds(tmp_path, RULES).read() is None, name
        needing._program.cache_clear()
    assert KeptNeeds(tmp_path, RULES).read() == NEEDS


VALUES = st.none() | st.integers() | st.text(max_size=9)
OBJECTS = VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(st.text(max_size=9), VALUES, max_size=3)


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)  # no slow machine fails it
@given(OBJECTS | st.dictionaries(st.sampled_from(sorted(NEEDS)) | st.text(max_size=9), OBJECTS, max_size=3))
def test_nonsense_is_not_believed(tmp_path: Path, value: object) -> None:
    kept = KeptNeeds(tmp_path, RULES)
    kept.write(NEEDS)
    whole = json.loads((tmp_path / NAME).read_text())
    for written in (json.dumps(value), json.dumps(whole | {"needs": value}), json.dumps(whole)[:-9]):
        (tmp_path / NAME).write_text(written)
        found = kept.read()
        words = [word for needed in (found or {}).values() for word in needed]
        assert all(word.partition(".")[0] in TABLES for word in words), "no rule waits for what can never come"
    (tmp_path / NAME).write_bytes(b"\xff" * 99)
    assert kept.read() is None
    (tmp_path / NAME).write_text(json.dumps(whole | {"needs": {RULES[0].id: ["never"]}}))
    assert kept.read() is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    kept = KeptNeeds(tmp_path / "not-there", RULES)
    kept.write(NEEDS)
    assert kept.read() is None
