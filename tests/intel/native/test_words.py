"""Words and literals in C: the same as in Python, whatever the text; what makes no sense is refused."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.intel.extractor import ReadingContext
from hinomi.intel.indicators.scan import Scan
from hinomi.intel.literals import occurrences
from hinomi.intel.native import compiled
from hinomi.intel.vocabulary.words import TextWords, same_length_lower

pytestmark = pytest.mark.skipif(compiled("words") is None, reason="the compiled core is not built")

texts = st.text(st.sampled_from("ab1 .-_éßɏスー漢々ひ\n😀") | st.characters(), max_size=60)
literals = st.lists(st.text("ab スー漢", min_size=1, max_size=4), min_size=4, max_size=9, unique=True).map(tuple)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts)
def test_both_split_alike(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    ours = TextWords(same_length_lower(text))
    with monkeypatch.context() as patch:
        patch.setenv("HINOMI_PURE", "1")
        plain = TextWords(same_length_lower(text))
    assert (ours.all, ours.places) == (plain.all, plain.places)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text("ab スー漢", max_size=60), wanted=literals)
def test_both_find_the_same_literals(monkeypatch: pytest.MonkeyPatch, text: str, wanted: tuple[str, ...]) -> None:
    ours = occurrences(text, wanted)
    with monkeypatch.context() as patch:
        patch.setenv("HINOMI_PURE", "1")
        assert ours == occurrences(text, wanted)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(st.sampled_from(["Z9" * 13, "a", "é", "-", "z" * 25]) | st.characters(), max_size=9).map("".join))
def test_both_find_the_same_runs(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    context = ReadingContext(text, "en")
    ours = Scan(context).long_runs
    with monkeypatch.context() as patch:
        patch.setenv("HINOMI_PURE", "1")
        assert ours == Scan(context).long_runs


def test_a_literal_is_not_found_within_itself() -> None:
    assert occurrences("aaaaa bab", ("aa", "bab", "ab", "スー")) == [0, 2, 6, 7]


def test_what_makes_no_sense_is_refused() -> None:
    native = compiled("words")
    for wrong in (["a"], ("",), ("a", 1)):
        with pytest.raises(TypeError):
            native.literals(wrong)
    with pytest.raises(TypeError):
        native.split(b"a")
    with pytest.raises(TypeError):
        native.long_runs(b"a")
    for words in ((), [0], [(0, 1)]):
        with pytest.raises((TypeError, IndexError)):
            native.places(words)
    with pytest.raises(ValueError):
        native.occurrences(object(), "a")
