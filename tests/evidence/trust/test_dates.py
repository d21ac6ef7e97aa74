from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.trust.dates import EARLIEST, LATEST, first_date


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-03-07", at(2023, 3, 7)),
        ("20230307101512", at(2023, 3, 7, 10, 15, 12)),
        ("built 2023/03/07 10:15", at(2023, 3, 7, 10, 15)),
        ("#1 SMP Tue Mar  7 10:00:01 UTC 2023", at(2023, 3, 7, 10, 0, 1)),
        ("SMP Debian 5.10.46-4 (2021-08-03)", at(2021, 8, 3)),
        ("7 March 2023", at(2023, 3, 7)),
        ("Mar 7, 2023", at(2023, 3, 7)),
        ("2023-13-45", None),
        ("10.2.1.7-50sv", None),
        ("1678183200", None),
        ("99999999", None),
    ],
)
def test_the_forms(text: str, expected: float | None) -> None:
    assert first_date(text) == expected


def test_bare_seconds_count_where_they_are_asked_for() -> None:
    assert first_date("1678183200", epoch=True) == 1678183200.0


@given(st.text(max_size=80))
def test_any_text_gives_a_sensible_time_or_none(text: str) -> None:
    found = first_date(text, epoch=True)
    assert found is None or EARLIEST < found < LATEST
