"""Rows behave as frozen dataclasses, though nothing is compiled for each of them."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, fields, replace

import pytest

from hinomi.model.tables import TABLES
from hinomi.model.tables.base import row_of
from hinomi.model.tables.host import Setting
from hinomi.model.tables.software import Library

LIBRARY = {"path": "/a » b", "container": "/a", "ecosystem": "maven", "name": "n", "state": "present"}


def test_rows_are_what_their_columns_are() -> None:
    one, same, other = Library(**LIBRARY), Library(**LIBRARY), Library(**LIBRARY | {"name": "m"})
    assert one == same and one != other
    assert one != LIBRARY and one.__eq__(LIBRARY) is NotImplemented
    assert replace(one, name="m") == other and asdict(one)["name"] == "n"
    assert copy.copy(one) == pickle.loads(pickle.dumps(one)) == one  # our own row
    assert repr(one).startswith("Library(path='/a » b', container='/a', ecosystem='maven', name='n', version=None")
    assert one.cves == [] and one.cves is not same.cves


def test_rows_without_lists_are_keys() -> None:
    columns = {field.name: "x" for field in fields(Setting)}
    assert len({Setting(**columns), Setting(**columns), row_of(Setting, dict(columns))}) == 1
    with pytest.raises(TypeError):
        hash(Library(**LIBRARY))


def test_rows_do_not_change() -> None:
    row = Library(**LIBRARY)
    with pytest.raises(FrozenInstanceError):
        row.name = "m"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        row.unknown = 1  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        del row.name
    assert row.name == "n"


@pytest.mark.parametrize("columns", [{}, LIBRARY | {"unknown": 1}, {"path": "/a"}])
def test_missing_and_unknown_columns_are_errors(columns: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="missing or unknown columns"):
        Library(**columns)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_columns_keep_their_order(name: str) -> None:
    row = TABLES[name]
    made = row(**{field.name: None for field in reversed(fields(row))})  # type: ignore[arg-type]
    assert list(vars(made)) == [field.name for field in fields(row)]  # type: ignore[arg-type]
