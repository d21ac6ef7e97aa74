"""What a page layout broke is joined, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.rejoin import rejoin, without_running_heads


def test_hash_and_hyphenated_word_are_joined():
    digest = "0f1e2d3c4b5a69788796a5b4c3d2e1f0" * 2
    assert digest in rejoin(f"sample {digest[:40]}\n{digest[40:]} seen").text
    assert digest in rejoin(f"sample {digest[:20]}\n{digest[20:44]}\n{digest[44:]} seen").text
    assert "a configuration file" in rejoin("it reads a configu-\nration file").text


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        ("it came from http://mori.example/a/\nb/c.bin today", True),
        ("it is written to /usr/local/share/ka\nwara.so by it", True),
        ("it is seen at kawara-\nsync[.]example today and here", True),
        ("the logs stand in /var/log/kawara/\nand show what was done", False),
        ("upgrade what runs on mori.example\n9.4.12 is the fixed version", False),
        ("short kawara.exa\nmple.com is what follows a line that was not cut", False),
    ],
)
def test_a_line_end_within_a_value_stays_and_is_named(text, goes_on):
    joined = rejoin(text)
    assert joined.text == text
    assert [text[place] for place in joined.joints] == ["\n"] * goes_on


def test_two_hashes_and_two_urls_stay_apart():
    text = "a" * 16 + "0" * 16 + "\n" + "b" * 16 + "1" * 16
    assert rejoin(text) == (text, ())
    text = "http://mori.example/a/\nhttp://mori.example/b/"
    assert rejoin(text) == (text, ())


def test_wrapped_paragraphs_become_one_line():
    body = "\n".join(["the implant waits for a long time before it calls its server over the"] * 9)
    assert "\n" not in rejoin(body).text


def test_running_heads_and_page_numbers_go():
    pages = [f"Vendor report TLP:CLEAR\nText of page {n} goes here.\nmore\nand more\nfoot\n{n}" for n in range(1, 6)]
    joined = "\n".join(without_running_heads(pages))
    assert "TLP:CLEAR" not in joined
    assert "Text of page 3" in joined or "goes here" not in joined


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abc 0f\n-/.:あ。", max_size=120))
def test_no_letter_is_lost(text):
    kept = rejoin(text).text
    for character in "abc0fあ。":
        assert kept.count(character) == text.count(character)
