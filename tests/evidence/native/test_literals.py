"""Many words searched for at once: the compiled search beside the plain meaning of it."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.evidence.native import compiled

literals = compiled("literals")
pytestmark = pytest.mark.skipif(literals is None, reason="the compiled core is not built")

FOLDED = bytes(byte | 0x20 for byte in range(256))
words = st.binary(min_size=4, max_size=32) | st.sampled_from([b"abcd", b"ABCDE", b"\0a\0b\0c", b"bcdeabcd"])
pieces = st.binary(max_size=40) | words | st.sampled_from([b"abc", b"\0", b"abcdabcdabcdabcd"])


def occurs(listed: list[bytes], data: bytes) -> bool:
    folded = data.translate(FOLDED)
    return any(word.translate(FOLDED) in folded for word in listed)


@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine
@given(st.lists(words, min_size=1, max_size=8), st.lists(pieces, max_size=8))
def test_the_search_means_what_it_says(listed: list[bytes], parts: list[bytes]) -> None:
    data = b"".join(parts)
    searcher = literals.prepared(tuple(listed))
    assert literals.any_in(searcher, data) == occurs(listed, data)
    assert literals.any_in(searcher, memoryview(bytearray(data))) == occurs(listed, data)


@given(words, st.integers(0, 70), st.integers(0, 70))
def test_a_word_is_found_wherever_it_stands(word: bytes, before: int, behind: int) -> None:
    data = bytes(before) + word + b"\xff" * behind
    assert literals.any_in(literals.prepared((word, b"another word")), data)


def test_letters_are_found_in_either_case() -> None:
    searcher = literals.prepared((b"Invoke-Expression",))
    assert literals.any_in(searcher, b"xx iNVOKE-eXPRESSION")
    assert not literals.any_in(searcher, b"xx iNVOKE-eXPRESSIO")


@pytest.mark.parametrize(
    ("listed", "error"),
    [
        ((), ValueError),
        ((b"abc",), ValueError),
        ((b"a" * 33,), ValueError),
        (("text",), TypeError),
        ([b"abcd"], TypeError),
    ],
)
def test_words_that_cannot_be_searched_for_are_refused(listed: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        literals.prepared(listed)


def test_something_else_than_a_searcher_is_refused() -> None:
    with pytest.raises(ValueError, match="Capsule"):
        literals.any_in(object(), b"data")


def test_many_words_in_much_content() -> None:
    listed = tuple(os.urandom(8) for _ in range(5_000))
    searcher, data = literals.prepared(listed), bytes(3_000_000)
    assert not literals.any_in(searcher, data)
    assert all(literals.any_in(searcher, data + word + b"x" * at) for at, word in enumerate(listed[:9]))


def test_content_made_to_be_slow_is_let_through() -> None:
    """Every place of it looks like the beginning of every word."""
    listed = tuple(b"aaaaaaaa%06d" % number for number in range(3_000))
    assert literals.any_in(literals.prepared(listed), b"a" * 1_000_000)
