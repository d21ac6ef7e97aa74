"""Birth times and inode flags of real files."""

from __future__ import annotations

import array
import fcntl
import os
import time
from pathlib import Path

import pytest

from hinomi.evidence.collect import collect
from hinomi.evidence.inodeflags import flag_letters
from hinomi.evidence.sources.descriptors import entry_at, make_entry
from hinomi.evidence.sources.root import root_target
from hinomi.evidence.sources.statx import UNKNOWN, extras_of
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import File

SET_FLAGS = 0x40086602
NO_DUMP = 0x40


def set_flags(path: Path, flags: int) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SET_FLAGS, array.array("L", [flags]))
    except OSError as error:
        pytest.skip(f"this file system has no inode flags: {error.strerror}")
    finally:
        os.close(fd)


def rows_of(folder: Path) -> dict[str, File]:
    rows: list[File] = []
    collect(root_target(folder), rows.append, Coverage(), collectors=[], jobs=1)  # type: ignore[arg-type]
    return {row.path: row for row in rows}


def test_birth_is_when_the_file_was_made(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("x")
    os.utime(tmp_path / "new", (1, 1))
    born = rows_of(tmp_path)["/new"].btime
    if born is None:
        pytest.skip("this file system keeps no birth times")
    assert abs(born - time.time()) < 3600


def test_flags_show_in_the_row(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("x")
    set_flags(tmp_path / "kept", NO_DUMP)
    assert rows_of(tmp_path)["/kept"].flags == "d"


def test_what_is_not_there_is_unknown(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert extras_of(b"absent", fd) == UNKNOWN
    finally:
        os.close(fd)


def test_letters_are_those_of_lsattr() -> None:
    assert flag_letters(0x10 | 0x20 | 0x80000) == "ia"  # extents are layout
    assert flag_letters(0) == ""
    assert flag_letters(None) is None


def test_one_call_says_what_stat_says(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5000)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    os.utime(tmp_path / "file", ns=(1, 1_600_000_000_123_456_789))
    os.utime(tmp_path / "folder", ns=(1, -1_500_000_000))  # before 1970
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        for name in os.listdir(tmp_path):
            info = os.stat(name, dir_fd=fd, follow_symlinks=False)
            link = os.readlink(tmp_path / name).encode() if name == "link" else None
            path = b"/" + name.encode()
            assert entry_at(path, name.encode(), fd) == make_entry(path, info, link, extras_of(name.encode(), fd))
        with pytest.raises(FileNotFoundError):
            entry_at(b"/gone", b"gone", fd)
    finally:
        os.close(fd)
