"""The index of public names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.vocabulary.names import Form, Name, NameIndex, compact, name_index
from hinomi.intel.vocabulary.words import split_words


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Black Tech", "BlackTech"),
        ("ブラックテック", "BlackTech"),
        ("apt 35", "Magic Hound"),
        ("AQUATIC PANDA", "Aquatic Panda"),
        ("Bladabindi", "njRAT"),
        ("SPIDERPIG RAT", "Spider RAT"),
        ("Tinyshell", "TinyShell"),
        ("Fancy-Bear", "APT28"),
    ],
)
def test_forms_lead_to_the_canonical_name(written: str, canonical: str) -> None:
    assert canonical in {form.name.canonical for form in name_index().lookup(written)}


@pytest.mark.parametrize(
    "canonical",
    ["UNC4540", "TinyShell", "Flagpro", "BlackTech", "SelfMake Loader", "Spider RAT", "SysJoker",
     "CharmPower", "Magic Hound",
     "Aquatic Panda", "njRAT", "HabitsRAT", "Webtoos"],
)  # fmt: skip
def test_names_our_rules_speak_of_are_canonical(canonical: str) -> None:
    assert name_index().lookup(canonical)[0].name.canonical == canonical


@pytest.mark.parametrize("word", ["backdoor", "malware", "Windows", "ransomware", "group", "hackers"])
def test_class_words_are_no_names(word: str) -> None:
    assert name_index().lookup(word) == ()


def test_the_longest_form_wins() -> None:
    index = NameIndex([Form(Name("malware", n), n, False) for n in ("Gray", "Gray Wolf", "Wolf Den Four")])
    assert [h.forms[0].text for h in index.find("Gray Wolf and Gray, Wolf Den Fourth")] == ["Gray Wolf", "Gray"]


def test_boundaries_hold_in_japanese_and_english() -> None:
    index = NameIndex([Form(Name("malware", "Tabo"), "Tabo", False), Form(Name("actor", "ウミ"), "ウミ", False)])
    assert [h.start for h in index.find("新型Taboが Taboo Stabo ウミネコ ウミグループ")] == [2, 25]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_words_cover_their_text(text: str) -> None:
    lowered = text.lower()
    for start, end, word in split_words(lowered):
        assert lowered[start:end] == word
    for hit in name_index().find(text):
        assert 0 <= hit.start < hit.end <= len(text)


@given(st.text(max_size=30))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_compact_is_stable(text: str) -> None:
    assert compact(compact(text)) == compact(compact(compact(text)))
