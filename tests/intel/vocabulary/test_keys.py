"""Keys at the words of a text: what is found, and that the compiled search finds the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.intel.native import compiled
from hinomi.intel.vocabulary.keys import NameKeys, PhraseKeys
from hinomi.intel.vocabulary.words import TextWords, same_length_lower

KEYS = ["gray", "graywolf", "wolfdenfour", "a", "ab", "スキマ", "スキマーケット", "taboo", "x1", "apt1", "zeusgameover"]
SMALL = ["taboo", "ab"]
letters = st.sampled_from(
    [
        *"gray wolf-den_four.ab・ー\n  x1",
        "Gray",
        "Wolf",
        "スキマ",
        "ーケット",
        "Taboo",
        "taboo",
        "APT1",
        "é",
        "Zeus Game Over",
    ]
)
texts = st.lists(letters, max_size=24).map("".join)


@pytest.fixture(params=["compiled", "plain"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "plain":
        monkeypatch.setenv("HINOMI_PURE", "1")
    elif compiled("keys") is None:
        pytest.skip("the compiled core is not built")
    return request.param


def names(text: str, keys: list[str] = KEYS) -> list[str]:
    return [key for _, _, key in NameKeys(keys, SMALL).find(text, TextWords(same_length_lower(text)))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Gray Wolf and Gray, Wolf Den Four", ["graywolf", "gray", "wolfdenfour"]),
        ("Gray - Wolf, Gray  Wolf, Gray\nWolf", ["graywolf", "gray", "gray"]),
        ("gray taboo Taboo tabooed", ["gray", "taboo", "taboo"]),
        ("新しいスキマーは、スキマーー、スキマー・ケット", ["スキマ", "スキマ", "スキマーケット"]),
        ("a wolf den four, Wolf-den_four", ["a", "wolfdenfour"]),
    ],
)
def test_the_longest_names_are_found_from_left_to_right(kind: str, text: str, found: list[str]) -> None:
    assert names(text) == found


def test_phrases_are_found_at_the_beginnings_of_words(kind: str) -> None:
    keys = PhraseKeys(["e", "encrypt", "encrypts files", "file", "ts files"])
    words = TextWords("it encrypts files, reencrypt e")
    assert [(words.all[number][2], key) for number, key in keys.find(words)] == [
        ("encrypts", "e"), ("encrypts", "encrypt"), ("encrypts", "encrypts files"), ("files", "file"), ("e", "e"),
    ]  # fmt: skip


@pytest.mark.skipif(compiled("keys") is None, reason="the compiled core is not built")
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(text=texts, keys=st.lists(st.sampled_from(KEYS) | st.text("abーx ", min_size=1, max_size=5), max_size=8))
def test_both_searches_find_the_same(monkeypatch: pytest.MonkeyPatch, text: str, keys: list[str]) -> None:
    keys = [short for key in keys if (short := key.rstrip("ー"))]
    words = TextWords(same_length_lower(text))
    ours = NameKeys(keys, SMALL).find(text, words), PhraseKeys(keys).find(words)
    with monkeypatch.context() as patch:
        patch.setenv("HINOMI_PURE", "1")
        assert ours == (NameKeys(keys, SMALL).find(text, words), PhraseKeys(keys).find(words))


@pytest.mark.skipif(compiled("keys") is None, reason="the compiled core is not built")
def test_what_makes_no_sense_is_refused() -> None:
    native = compiled("keys")
    with pytest.raises(TypeError):
        native.sorted_keys([1])
    keys = native.sorted_keys(["a"])
    with pytest.raises(ValueError, match="outside"):
        native.names(keys, keys, "a", "a", [(0, 2, "a")])
    with pytest.raises(ValueError, match="length"):
        native.names(keys, keys, "ab", "a", [(0, 1, "a")])
    with pytest.raises(TypeError):
        native.phrases(keys, "a", [0])
    with pytest.raises(ValueError):
        native.names(object(), keys, "a", "a", [])
