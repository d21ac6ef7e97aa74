"""The case survives what an incident does to it: signals, hostile names, damage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.model.errors import CaseError, PermissionDeniedError
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import File
from hinomi.store.case import Case, default_case_folder
from hinomi.store.evidence import BATCH_ROWS

OpenCase = Any
"""`Opening` of conftest.py: opens a case with its state in SQLite or PostgreSQL."""

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def file_row(path: str, **values: object) -> File:
    base = {"kind": "file", "size": 1, "mode": 0o644, "uid": 0, "gid": 0, "inode": 1, "links": 1, "mtime": 0.0}
    return File(path=path, ctime=0.0, **(base | values))  # type: ignore[arg-type]


def test_rows_come_back_numbered_over_several_batches(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path, lambda: NOON) as case:
        run = case.begin_run(target="/mnt", kind="root", host="edge1")
        for number in range(BATCH_ROWS + 5):
            run.add(file_row(f"/f{number}"))
        assert run.seal() == {"files": BATCH_ROWS + 5}
        run.finish(Coverage())
        (path,) = case.tables(run.id)["files"]
        table = pq.read_table(path, partitioning=None)
        assert table.column("row").to_pylist() == list(range(BATCH_ROWS + 5))
        assert table.column("path")[BATCH_ROWS].as_py() == f"/f{BATCH_ROWS}"
        assert [r.status for r in case.runs()] == ["complete"]


@settings(max_examples=25, deadline=None)
@given(name=st.binary(max_size=40), inode=st.integers(min_value=0, max_value=2**64), host=st.text(max_size=20))
def test_any_bytes_can_be_stored(tmp_path_factory: pytest.TempPathFactory, name: bytes, inode: int, host: str) -> None:
    folder = tmp_path_factory.mktemp("case")
    with Case.open(folder) as case:
        run = case.begin_run(target=name.decode("utf-8", "surrogateescape"), kind="root", host=host or "h")
        run.add(file_row("/" + name.decode("utf-8", "surrogateescape"), inode=inode))
        run.finish(Coverage())
        (path,) = case.tables(run.id)["files"]
        assert pq.read_table(path, partitioning=None).num_rows == 1
        assert path.is_relative_to(folder)


def test_unfinished_rows_are_not_visible(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        run = case.begin_run(target="/", kind="live", host="h")
        run.add(file_row("/a"))
        assert case.tables(run.id) == {}
        run.abandon()
        assert case.tables(run.id) == {}
        assert [r.status for r in case.runs("interrupted")] == ["interrupted"]


def test_a_killed_run_is_recovered_and_the_rest_stays(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        whole = case.begin_run(target="/a", kind="root", host="h")
        whole.add(file_row("/kept"))
        whole.finish(Coverage())
    script = textwrap.dedent(f"""
        import os, time
        from pathlib import Path
        from hinomi.store.case import Case, CasePlace
        from hinomi.store.evidence import BATCH_ROWS
        from hinomi.model.tables.files import File
        case = Case.open(CasePlace(Path({str(tmp_path)!r}), {open_case.state(tmp_path)!r}))
        run = case.begin_run(target="/b", kind="root", host="h")
        for i in range(BATCH_ROWS):
            row = dict(kind="file", size=1, mode=0, uid=0, gid=0, inode=1, links=1, mtime=0.0, ctime=0.0)
            run.add(File(path=f"/f{{i}}", **row))
        print("ready", flush=True)
        time.sleep(3600)
    """)
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "ready"
    assert list(tmp_path.glob("evidence/files/host=h/run=*/*.partial"))
    with open_case(tmp_path) as case:  # the run is alive: nobody touches it
        assert [r.target for r in case.runs("running")] == ["/b"]
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with open_case(tmp_path) as case:
        assert [r.target for r in case.runs("interrupted")] == ["/b"]
        assert [r.target for r in case.runs()] == ["/a"]
        assert not list(tmp_path.glob("evidence/**/*.partial"))
        assert case.tables(whole.id)["files"]
        assert case.journal.broken_at() is None


def test_a_damaged_state_is_said(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is no database, however long it may be" * 40)
    with pytest.raises(CaseError) as caught:
        Case.open(tmp_path)
    assert caught.value.code == "case.damaged"


def test_a_newer_state_is_refused(tmp_path: Path, open_case: OpenCase) -> None:
    from sqlalchemy import text

    with open_case(tmp_path) as case, case.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CaseError) as caught:
        open_case(tmp_path)
    assert caught.value.code == "case.newer"


def test_a_folder_that_cannot_be_made_is_a_permission_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PermissionDeniedError):
        Case.open(tmp_path / "file" / "case")


def test_default_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert default_case_folder() == Path("/xdg/hinomi")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_case_folder() == Path("/var/lib/hinomi")


def test_the_case_is_private(tmp_path: Path) -> None:
    with Case.open(tmp_path / "new") as case:
        assert case.path.stat().st_mode & 0o077 == 0
