"""What was written ahead becomes evidence in a program of its own, and an error of the system is raised here."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hinomi.detect.rowset import filled
from hinomi.flow.watching.apart import ApartError
from hinomi.flow.watching.sealing import ROWS, seal
from hinomi.watch.spool import Spool

HOST = "a host/火"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, "run")


def test_all_rows_are_sealed_in_order_and_numbered(tmp_path: Path, spool: Spool) -> None:
    number = 2 * ROWS + 1
    spool.append([filled("files", {"path": f"/f{n}", "path_raw": b"\xff"}) for n in range(number)])
    spool.append([filled("processes", {"pid": 7})])
    assert seal(tmp_path / "evidence", HOST, "run", spool.path) == number + 1
    (files,) = (tmp_path / "evidence/files").glob("*/run=run/*.parquet")
    table = pq.read_table(files, partitioning=None)
    assert table.column("path").to_pylist() == [f"/f{n}" for n in range(number)]
    assert table.column("row").to_pylist() == list(range(number))
    assert list((tmp_path / "evidence").rglob("*.partial")) == []


def test_an_error_of_the_system_is_raised_as_it_was(tmp_path: Path, spool: Spool) -> None:
    spool.append([filled("files", {"path": "/f"})])
    (tmp_path / "evidence").write_text("in the way")
    with pytest.raises(OSError) as caught:
        seal(tmp_path / "evidence", HOST, "run", spool.path)
    assert caught.value.errno == errno.ENOTDIR


def test_a_program_that_fails_is_said(tmp_path: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append([filled("files", {"path": "/f"})])
    monkeypatch.setattr(os, "getpid", lambda: 1)  # it takes its parent for another that has ended
    with pytest.raises(ApartError):
        seal(tmp_path / "evidence", HOST, "run", spool.path)
