"""Folded text maps back to the original, character by character."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.folding import fold


def test_full_width_hyphens_and_yen_become_plain():
    assert fold("ｈｏｓｔ．ｃｏｍ C:¥temp CVE‑2021‑1").text == "host.com C:\\temp CVE-2021-1"


def test_invisible_characters_go_and_the_span_keeps_them():
    original = "a\u200bb\u00adc d"
    folded = fold(original)
    assert folded.text == "abc d"
    start, end = folded.span(0, 3)
    assert original[start:end] == "a\u200bb\u00adc"


def test_plain_text_is_untouched():
    assert fold("plain text").text == "plain text"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab．ＡＢ\u200b\u00ad‐あ¥ ", max_size=60))
def test_every_folded_character_has_its_place(text):
    folded = fold(text)
    places = [folded.original(n) for n in range(len(folded.text))]
    assert places == sorted(set(places))
    for number, place in enumerate(places):
        assert fold(text[place]).text == folded.text[number]
