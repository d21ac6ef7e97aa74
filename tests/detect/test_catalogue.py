"""The catalogue: every rule found, bad ones gathered, none stopping the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from hinomi.detect.catalogue import BUILT_IN, load_rules, name_key
from hinomi.detect.template import write_rule
from hinomi.model.errors import RuleError
from hinomi.model.findings import Coverage


def test_the_shipped_rules_all_load() -> None:
    catalogue = load_rules()
    assert catalogue.errors == ()
    files = [
        p for kind in ("sql/*.yml", "baseline/*.yml", "yara/*.yar", "advisories/*.json") for p in BUILT_IN.glob(kind)
    ]
    assert len(catalogue) == len([p for p in files if not p.name.endswith(".cases.yml")]) > 20
    assert [r.id for r in catalogue] == [r.id for r in sorted(catalogue, key=lambda r: (r.kind, r.id))]


def test_bad_rules_are_gathered_and_good_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "yara").mkdir()
    write_rule("good-sql", "sql", tmp_path / "sql")
    write_rule("good-yara", "yara", tmp_path)
    (tmp_path / "bad.yml").write_text("id: [")
    (tmp_path / "yara" / "bad-yara.yar").write_text("rule bad_yara {\n condition: nothing_known\n}")
    (tmp_path / "bad-osv.json").write_text('{"id": 1}')
    (tmp_path / "notes.txt").write_text("not a rule")
    (tmp_path / ".hidden.yml").write_text("id: [")
    catalogue = load_rules([tmp_path])
    assert {"good-sql", "good-yara"} <= {rule.id for rule in catalogue}
    assert sorted(Path(e.place.split(":")[0]).name for e in catalogue.errors) == [
        "bad-osv.json",
        "bad-yara.yar",
        "bad.yml",
    ]
    assert any(e.place.endswith("bad-yara.yar:2:13") for e in catalogue.errors)
    coverage = Coverage()
    catalogue.tell_errors(coverage)
    assert len(coverage.misses) == 3 and not coverage.complete


def test_a_users_rule_takes_the_place_of_a_built_in_one(tmp_path: Path) -> None:
    built_in = load_rules().of_kind("sql")[0]
    write_rule(built_in.id, "sql", tmp_path)
    catalogue = load_rules([tmp_path])
    assert catalogue.get(built_in.id).path.parent == tmp_path
    assert len(catalogue) == len(load_rules())


def test_two_rules_of_one_id_are_an_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "sql"):
        write_rule("same-id", "sql", folder)
    assert [e.code for e in load_rules([tmp_path]).errors] == ["rule.double-id"]


def test_deprecated_rules_do_not_run(tmp_path: Path) -> None:
    path = write_rule("old-rule", "sql", tmp_path)[0]
    path.write_text(path.read_text().replace("status: experimental", "status: deprecated"))
    catalogue = load_rules([tmp_path])
    assert catalogue.get("old-rule") is not None
    assert "old-rule" not in {rule.id for rule in catalogue.of_kind("sql")}


def test_selection_by_id_threat_and_behaviour() -> None:
    catalogue = load_rules()
    assert len(catalogue.select()) == len(catalogue)
    assert [r.id for r in catalogue.select(ids=["tinyshell"])] == ["tinyshell"]
    named = catalogue.select(threats=["tiny shell"])
    assert "tinyshell" in {r.id for r in named} and len(named) < len(catalogue)
    assert all("mutual-watchdog" in r.behaviours for r in catalogue.select(behaviours=["mutual-watchdog"]))
    assert len(catalogue.select(ids=["no-such"])) == 0


def test_a_missing_folder_is_said() -> None:
    with pytest.raises(RuleError):
        load_rules(["/no/such/folder"])


def test_names_compare_without_case_and_punctuation() -> None:
    assert name_key("Spider RAT") == name_key("spider-rat") == "spiderrat"
    assert name_key("火の見") == "火の見"
