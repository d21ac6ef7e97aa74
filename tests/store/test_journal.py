"""The chain breaks where an entry was changed, removed or put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from hinomi.store.case import Case
from hinomi.store.schema import JOURNAL

OpenCase = Callable[..., Case]


@pytest.fixture
def case(tmp_path: Path, open_case: OpenCase) -> Iterator[Case]:
    with open_case(tmp_path) as case:
        for number in range(4):
            case.journal.append("tested", number=number, text="日本語")
        yield case


def test_an_untouched_chain_holds(case: Case) -> None:
    assert case.journal.broken_at() is None
    assert [e.sequence for e in case.journal.entries()] == [1, 2, 3, 4]


def test_a_changed_entry_breaks_it(case: Case) -> None:
    with case.engine.begin() as connection:
        connection.execute(update(JOURNAL).where(JOURNAL.c.sequence == 2).values(body='{"number": 9}'))
    assert case.journal.broken_at() == 2


def test_a_removed_entry_breaks_it(case: Case) -> None:
    with case.engine.begin() as connection:
        connection.execute(delete(JOURNAL).where(JOURNAL.c.sequence == 3))
    assert case.journal.broken_at() == 3
