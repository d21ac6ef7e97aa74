"""Readings cross processes and scans unchanged, in the short form and in the long one; anything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.reading import Reading, decode, encode
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import ContentMatch

DIGEST = "ab" * 32
PLAIN = Reading(7, DIGEST, "text/plain", None, DIGEST)


@pytest.mark.parametrize(
    "reading",
    [
        PLAIN,
        Reading(0, DIGEST, None, "sha256", DIGEST),
        Reading(1 << 40, DIGEST, "text/plain", "md5", "0f" * 16),
        Reading(7, DIGEST, "text/plain", "sha1", "0f" * 20),
        Reading(7, DIGEST, "text/plain", None, DIGEST, ["user.a"], "00ff"),
        Reading(7, DIGEST, "text/plain", None, DIGEST, rows=[ContentMatch(path="/a\udcff", rule="r")]),
        Reading(),
    ],
)
def test_both_forms_come_back(reading: Reading) -> None:
    assert decode(encode(reading)) == reading


def test_what_was_missed_comes_back() -> None:
    reading = Reading(7, DIGEST, coverage=Coverage())
    assert reading.coverage is not None
    reading.coverage.miss("elf", "/a", "damaged", "cut")
    again = decode(encode(reading)).coverage
    assert again is not None and again.misses == reading.coverage.misses


def test_most_files_take_few_bytes() -> None:
    assert len(encode(PLAIN)) < 60


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_and_never_crash(data: bytes) -> None:
    for payload in (data, encode(PLAIN)[: len(data)], b"P" + data):
        try:
            decode(payload)
        except ValueError:
            continue
