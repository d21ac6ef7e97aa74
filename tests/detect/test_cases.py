"""The case runner: it passes what is right and fails what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hinomi.detect.casefile import read_cases
from hinomi.detect.cases import test_rules as run_tests
from hinomi.detect.catalogue import load_rules
from hinomi.model.errors import RuleError

QUERY = """SELECT path AS subject, row AS files_row, 'x' AS what, [sha256] AS related FROM files
WHERE kind = 'file' AND basename(path) ILIKE 'bad%'"""


def problems(folder: Path, cases: str, rule_id: str = "a-rule") -> list[tuple[str, ...]]:
    (folder / f"{rule_id}.cases.yml").write_text(cases, encoding="utf-8")
    return [result.problems for result in run_tests([load_rules([folder]).get(rule_id)])]


@pytest.fixture
def folder(sql_rule) -> Path:
    return sql_rule("a-rule", QUERY)


def test_right_cases_pass(folder: Path) -> None:
    cases = """
cases:
  - name: in a tree
    files: {/bad1: text, /good: text, /opt/bad-dir: {directory: true}, /bad-link: {link: /bad1}}
    hit: [{subject: /bad1, severity: high, confidence: 70, mentions: "/bad1 does x"}]
    miss: [/good]
  - name: as rows
    rows: {files: [{path: /x/bad, sha256: abc}, {path: /x/good}]}
    hit: [{subject: /x/bad, related: [abc]}]
  - {name: nothing, files: {/good: ""}, miss: all}
  - {name: others allowed, rows: {files: [{path: /bad1}, {path: /bad2}]}, hit: [/bad2], others: true}
"""
    assert problems(folder, cases) == [()] * 4


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        ("rows: {files: [{path: /good}]}, hit: [/good]", "not found: /good"),
        ("rows: {files: [{path: /bad}]}, miss: all", "not expected: /bad"),
        ("rows: {files: [{path: /bad}, {path: /bad2}]}, hit: [/bad]", "not expected: /bad2"),
        ("rows: {files: [{path: /bad}, {path: /bad2}]}, hit: [/bad], miss: [/bad2]", "must not be: /bad2"),
        ("rows: {files: [{path: /bad}]}, hit: [{subject: /bad, severity: low}]", "severity is high"),
        ("rows: {files: [{path: /bad}]}, hit: [{subject: /bad, confidence: 1}]", "confidence is 70"),
        ("rows: {files: [{path: /bad}]}, hit: [{subject: /bad, related: [/z]}]", "not related: /z"),
        ("rows: {files: [{path: /bad}]}, hit: [{subject: /bad, mentions: zzz}]", "does not mention"),
        ("rows: {files: [{pfad: /bad}]}, hit: [/bad]", "no column pfad"),
        ("rows: {files: [{path: /bad, size: many}]}, hit: [/bad]", "many"),
        ("files: {bad: x}, hit: [/bad]", "begin with '/'"),
        ("files: {/bad: {text: a, hex: 00}}, hit: [/bad]", "one content"),
        ("files: {/bad: {hex: zz}}, hit: [/bad]", "/bad"),
        ("files: {/bad: {elf: {colour: red}}}, hit: [/bad]", "/bad"),
        ("files: {/bad: 7}, hit: [/bad]", "a text or a mapping"),
        ("files: {/bad: {text: aaaaaaaa, repeat: 99999999}}, hit: [/bad]", "64 MiB"),
    ],
)
def test_wrong_cases_fail_and_say_why(folder: Path, case: str, problem: str) -> None:
    ((said,),) = problems(folder, f"cases: [{{name: n, {case}}}]")
    assert problem in said


def test_a_rule_that_fails_fails_its_near_misses_too(sql_rule) -> None:
    folder = sql_rule("a-rule", "SELECT error('boom') AS subject FROM files")
    ((said,),) = problems(folder, "cases: [{name: n, rows: {files: [{path: /a}]}, miss: all}]")
    assert "boom" in said


def test_a_finding_without_evidence_fails(sql_rule) -> None:
    folder = sql_rule("a-rule", "SELECT path AS subject FROM files")
    ((said,),) = problems(folder, "cases: [{name: n, rows: {files: [{path: /a}]}, hit: [/a]}]")
    assert "no evidence" in said


def test_upper_case_is_run_as_well(tmp_path: Path) -> None:
    from hinomi.detect.template import write_rule

    path, _ = write_rule("my-yara", "yara", tmp_path)
    assert all(result.passed for result in run_tests([load_rules([tmp_path]).get("my-yara")]))
    path.write_text(path.read_text().replace(" nocase", ""))
    (first, second) = run_tests([load_rules([tmp_path]).get("my-yara")])
    assert first.problems and first.problems[0].startswith("in upper case: not found") and second.passed


@pytest.mark.parametrize(
    "text",
    [
        "cases: []",
        "cases: 3",
        "[]",
        "cases: [{files: {}}]",
        "cases: [{name: n, colour: red}]",
        "cases: [{name: n, hit: /a}]",
        "cases: [{name: n, hit: [{severity: high}]}]",
        "cases: [{name: n, rows: {no_table: []}}]",
        "cases: [{name: n, rows: {files: {}}}]",
        "cases: [{name: n, files: [1]}]",
        "cases: [",
        "",
    ],
)
def test_wrong_case_files_are_rule_errors(folder: Path, text: str) -> None:
    path = folder / "a-rule.cases.yml"
    path.write_text(text)
    with pytest.raises(RuleError) as caught:
        read_cases(path)
    assert caught.value.place.startswith(str(path))
    (result,) = run_tests([load_rules([folder]).get("a-rule")])
    assert not result.passed


def test_a_rule_without_cases_does_not_pass(folder: Path) -> None:
    (result,) = run_tests([load_rules([folder]).get("a-rule")])
    assert not result.passed and result.to_json()["rule"] == "a-rule"
