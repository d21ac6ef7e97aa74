"""Every rule does what its own cases say, and says everything a rule must say."""

from __future__ import annotations

from importlib.resources import files

import pytest

from hinomi.detect.casefile import read_cases
from hinomi.detect.cases import run_case
from hinomi.detect.catalogue import load_rules
from hinomi.detect.lint import lint
from hinomi.detect.rule import Rule
from hinomi.model.text import Bilingual

PLAYBOOKS = frozenset(
    path.name.removesuffix(".json")
    for path in files("hinomi.respond").joinpath("playbooks").iterdir()
    if path.name[-5:] == ".json"
)
RULES = [rule for rule in load_rules().rules if rule.kind in ("sql", "baseline", "yara")]
IDS = [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_rule_passes_its_cases(rule: Rule) -> None:
    results = [run_case(rule, case) for case in read_cases(rule.cases_path)]
    assert results
    assert [(r.case, r.problems) for r in results if not r.passed] == []


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_two_hits_and_two_near_misses(rule: Rule) -> None:
    cases = read_cases(rule.cases_path)
    assert sum(bool(case.hits) for case in cases) >= 2
    assert sum(not case.hits for case in cases) + sum(bool(case.hits and case.misses) for case in cases) >= 2


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_rule_says_what_it_must(rule: Rule) -> None:
    assert rule.behaviours and rule.attack and rule.references and rule.responses
    assert set(rule.responses) <= PLAYBOOKS
    for text in (rule.title, rule.explanation, rule.falsepositives):
        assert _both(text)


def test_lint_is_content() -> None:
    assert [(p.rule_id, p.code, p.problem) for p in lint(load_rules(), PLAYBOOKS)] == []


def test_a_name_alone_never_rises_above_low() -> None:
    by_name = {"daemon-name-worn"}
    assert {rule.severity for rule in RULES if rule.id in by_name} == {"low"}


def _both(text: Bilingual) -> bool:
    return bool(text.en) and any("\u3040" <= c <= "\u9fff" for c in text.ja)
