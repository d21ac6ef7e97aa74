"""Lint: what a rule must have before it is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.detect.lint import known_behaviours, lint
from hinomi.detect.template import write_rule
from hinomi.model.errors import RuleError

RESPONSES = {"preserve-evidence"}


def problems(folder: Path, rule_id: str, responses=RESPONSES) -> set[tuple[str, str]]:
    return {(p.code, p.problem) for p in lint(load_rules([folder]).select(ids=[rule_id]), responses)}


def codes(folder: Path, rule_id: str) -> set[str]:
    return {code for code, _ in problems(folder, rule_id)}


@pytest.mark.parametrize("kind", ["sql", "yara"])
def test_a_new_rule_is_clean(tmp_path: Path, kind: str) -> None:
    write_rule("my-rule", kind, tmp_path)
    assert problems(tmp_path, "my-rule") == set()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("behaviours: [reverse-shell]", "behaviours: [no-such-thing]", "lint.behaviour"),
        ("behaviours: [reverse-shell]", "behaviours: []", "lint.behaviour"),
        ("attack: [T1059.004]", "attack: []", "lint.attack"),
        ("responses: [preserve-evidence]", "responses: [no-such-playbook]", "lint.responses"),
        ("responses: [preserve-evidence]", "responses: []", "lint.responses"),
        ("references: [https://attack.mitre.org/techniques/T1059/004/]", "references: []", "lint.references"),
        ("[https://attack.mitre.org/techniques/T1059/004/]", "['javascript:1']", "lint.references"),
        ("操作者からの接続を待つスクリプト", "script", "lint.words"),
        ("{peer}", "{nothing}", "lint.placeholder"),
        ("script_actions a", "no_such_table a", "lint.sql"),
        ("a.path AS subject", "a.path AS thing", "lint.sql"),
        (", a.row AS script_actions_row", "", "lint.sql"),
        ("AND a.in_loop", "AND a.object LIKE '%/dev/tcp%'", "lint.like"),
        ("AND a.in_loop", "AND a.command ILIKE '%x%'", "lint.upper"),
        ("FROM script_actions a", "FROM read_text('/etc/passwd'), script_actions a", "lint.sql"),
    ],
)
def test_what_is_wrong_with_a_sql_rule(tmp_path: Path, old: str, new: str, code: str) -> None:
    path = write_rule("my-rule", "sql", tmp_path)[0]
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert code in codes(tmp_path, "my-rule")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("uint32(0) == 0x464c457f and $text", "0x464c457f and $text", "lint.constant"),
        ("uint32(0) == 0x464c457f and $text", "$text or true", "lint.constant"),
        ("{patterns}", "{pattern}", "lint.placeholder"),
    ],
)
def test_what_is_wrong_with_a_yara_rule(tmp_path: Path, old: str, new: str, code: str) -> None:
    path = write_rule("my-rule", "yara", tmp_path)[0]
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert code in codes(tmp_path, "my-rule")


def test_cases_must_hit_and_nearly_miss(tmp_path: Path) -> None:
    cases = write_rule("my-rule", "yara", tmp_path)[1]
    hit, miss = cases.read_text(encoding="utf-8").split("  - name: the text in a document")
    cases.write_text(hit.replace("    upper: true\n", "").replace(", and in upper case", ""), encoding="utf-8")
    assert {text for code, text in problems(tmp_path, "my-rule") if code == "lint.cases"} == {"no near miss"}
    assert "lint.upper" in codes(tmp_path, "my-rule")
    cases.write_text("cases:\n  - name: the text in a document" + miss, encoding="utf-8")
    assert {text for code, text in problems(tmp_path, "my-rule") if code == "lint.cases"} == {"no case that it hits"}
    cases.unlink()
    assert "rule.unreadable" in codes(tmp_path, "my-rule")


def test_unreadable_rules_come_first_and_playbooks_may_be_unknown(tmp_path: Path) -> None:
    write_rule("my-rule", "sql", tmp_path)
    (tmp_path / "bad.yml").write_text("a: [")
    found = lint(load_rules([tmp_path]).select(ids=["my-rule"]))
    assert (found[0].rule_id, found[0].code) == ("", "rule.yaml") and found[0].to_json()["place"].endswith(
        "bad.yml:2:1"
    )
    assert not any("no playbook" in p.problem for p in found)


def test_the_vocabulary_of_behaviours() -> None:
    assert {"mutual-watchdog", "firmware-repack"} <= known_behaviours()


@pytest.mark.parametrize("rule_id", ["", "Upper", "a b", "../x", "x" * 100, "-x"])
def test_new_rules_need_a_good_id(tmp_path: Path, rule_id: str) -> None:
    with pytest.raises(RuleError):
        write_rule(rule_id, "sql", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_new_rules_overwrite_nothing(tmp_path: Path) -> None:
    write_rule("my-rule", "sql", tmp_path / "new" / "folder")
    with pytest.raises(RuleError):
        write_rule("my-rule", "yara", tmp_path / "new" / "folder")
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 2
