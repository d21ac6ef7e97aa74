"""Rows written ahead: they keep their numbers, and half a line is no row."""

from __future__ import annotations

from pathlib import Path

from hinomi.model.tables.changes import FileChange
from hinomi.model.tables.files import File
from hinomi.watch.spool import Spool, left_over, read_rows

CHANGE = FileChange(path="/a\udcff\n", what="added", at=1.5, found_by="event", cmdline=["x", "\x1b"])
FILE = File(
    path="/b", path_raw=b"/\xff", kind="file", size=1, mode=0o644, uid=0, gid=0, inode=1, links=1, mtime=1.0, ctime=2.0
)


def test_rows_come_back_as_they_were_and_numbers_go_on(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "run")
    assert spool.append([CHANGE, FILE, CHANGE]) == [0, 0, 1]
    spool.close()
    with spool.path.open("ab") as file:
        file.write(b'["files",{"path":"/cut')
    assert list(read_rows(spool.path)) == [CHANGE, FILE, CHANGE]
    assert left_over(tmp_path) == [("run", spool.path)]
