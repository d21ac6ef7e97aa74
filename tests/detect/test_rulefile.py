"""Rule files become rules, or errors with file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect.rulefile import read_sql_rule
from hinomi.model.errors import RuleError
from hinomi.model.text import Bilingual

GOOD = """\
id: a-rule
title: {en: "One", ja: "一"}
description: {en: "Two\\n lines", ja: "二"}
falsepositives: {en: [x, y], ja: "ん"}
level: high
confidence: 80
behaviours: [boot-persistence]
attack: [T1547, T1037.004]
threats: [SysJoker]
subject_type: script
licence: MIT
query: SELECT 1 AS subject
"""


def read(tmp_path: Path, text: str, name: str = "a-rule.yml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_sql_rule(path)


def test_a_good_rule(tmp_path: Path) -> None:
    rule = read(tmp_path, GOOD)
    assert rule.explanation == Bilingual("Two lines", "二")
    assert rule.falsepositives.en == "x y"
    assert (rule.severity, rule.confidence, rule.subject_type, rule.licence) == ("high", 80, "script", "MIT")
    assert rule.attack == ("T1547", "T1037.004") and rule.active
    assert rule.cases_path == tmp_path / "a-rule.cases.yml"
    assert rule.to_json()["title"] == {"en": "One", "ja": "一"}


@pytest.mark.parametrize(
    ("old", "new", "place", "cause"),
    [
        ("level: high", "level: severe", ":5:1", "info low medium high critical"),
        ("level: high", "level: 3", ":5:1", "info low"),
        ("confidence: 80", "confidence: 101", ":6:1", "0 to 100"),
        ("confidence: 80", "confidence: yes", ":6:1", "0 to 100"),
        ("id: a-rule", "id: b-rule", ":1:1", "file's name"),
        ("id: a-rule", "", "", "`id`"),
        ("T1547,", "X1547,", ":8:1", "ATT&CK"),
        ("[SysJoker]", "[[1]]", ":9:1", "list of texts"),
        ("subject_type: script", "subject_type: thing", ":10:1", "file process"),
        ("title: {en: \"One\", ja: \"一\"}", "title: One", ":2:1", "{en"),
        ("ja: \"一\"", "ja: ''", ":2:1", "each language"),
        ("licence: MIT", "colour: red", ":11:1", "unknown key"),
        ("query: SELECT 1 AS subject", "query: []", ":12:1", "`query`"),
        ("query: SELECT 1 AS subject", "query: ' '", ":12:1", "`query`"),
    ],
)  # fmt: skip
def test_wrong_words_are_told_with_their_place(tmp_path: Path, old: str, new: str, place: str, cause: str) -> None:
    with pytest.raises(RuleError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert caught.value.place == f"{tmp_path / 'a-rule.yml'}{place}"
    assert cause in caught.value.cause


def test_names_and_shapes(tmp_path: Path) -> None:
    for text, name in (("- 1", "a-rule.yml"), (GOOD.replace("a-rule", "A_rule"), "A_rule.yml"), ("x", "a-rule.yml")):
        with pytest.raises(RuleError):
            read(tmp_path, text, name)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.sampled_from(["id", "title", "level", "confidence", "attack", "query", "threats", "status"]),
        st.one_of(
            st.none(),
            st.integers(),
            st.text(max_size=8),
            st.lists(st.text(max_size=4), max_size=3),
            st.dictionaries(st.sampled_from(["en", "ja"]), st.text(max_size=5)),
        ),
    )
)
def test_any_mapping_is_a_rule_or_a_rule_error(tmp_path_factory: pytest.TempPathFactory, words: dict) -> None:
    import yaml

    path = tmp_path_factory.getbasetemp() / "a-rule.yml"
    path.write_text(yaml.safe_dump(words, allow_unicode=True), encoding="utf-8")
    with pytest.raises(RuleError):  # `explanation` is never there
        read_sql_rule(path)
