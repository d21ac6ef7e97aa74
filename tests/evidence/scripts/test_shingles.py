"""The share of equal values is the share of triples that two texts have in common."""

from __future__ import annotations

import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.scripts.shingles import MIN_TOKENS, SIZE, minhash


def triples(words: list[str]) -> set[tuple[str, ...]]:
    return set(zip(words, words[1:], words[2:], strict=False))


def alike(one: list[str], other: list[str]) -> float:
    return sum(a == b for a, b in zip(minhash(one), minhash(other), strict=True)) / SIZE


@pytest.mark.parametrize("length", [MIN_TOKENS, 80, 1000])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_the_estimate_is_right_on_average_whatever_the_length(length: int, kept: float) -> None:
    chance = Random(length)
    errors = []
    for _ in range(60):
        one = [str(chance.randrange(10**9)) for _ in range(length)]
        whole = int(kept * length)
        other = one[:whole] + [str(chance.randrange(10**9)) for _ in range(length - whole)]
        true = len(triples(one) & triples(other)) / len(triples(one) | triples(other))
        errors.append(alike(one, other) - true)
    assert abs(statistics.mean(errors)) < 0.03
    assert statistics.pstdev(errors) < 0.1


@given(st.lists(st.sampled_from("abcdef"), max_size=60))
def test_values_are_64_numbers_of_32_bits_or_none(words: list[str]) -> None:
    values = minhash(words)
    assert len(values) == (SIZE if len(words) >= MIN_TOKENS else 0)
    assert all(0 <= value < 1 << 32 for value in values)
    assert values == minhash(iter(words))
