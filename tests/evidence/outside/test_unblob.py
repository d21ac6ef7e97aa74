"""unblob as a carver. A stand-in speaks the part of its command line that is used, as the real one of 26.6 does."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
from pathlib import Path

import pytest

from hinomi.detect.catalogue import Catalogue
from hinomi.evidence.options import ScanOptions
from hinomi.evidence.outside import program
from hinomi.evidence.outside.unblob import carved
from hinomi.flow.scanning import scan
from hinomi.model.errors import ParseError, TargetError
from hinomi.store.case import Case

STAND_IN = """#!{python}
import os, pathlib, sys
arguments = sys.argv[1:]
assert arguments[:3] == ["--skip-extraction", "--processes", "1"], arguments
out, image = pathlib.Path(arguments[4]), pathlib.Path(arguments[5])
data = image.read_bytes()
(out / "who").write_text(str(os.geteuid()))
{deed}
"""
CARVES = """
folder = out / (image.name + "_extract")
folder.mkdir()
at = data.index(b"WRAP") + 64
(folder / f"{at}-{len(data)}.tar").write_bytes(data[at:])
(folder / "0-64.unknown").write_bytes(data[:64])
(folder / "1-2.tar").symlink_to("/etc/passwd")
"""


@pytest.fixture
def wrapped(tmp_path: Path) -> Path:
    """Return a vendor's wrapper around a tar, which nothing here knows."""
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/bin").mkdir()
    (tmp_path / "root/etc/hostname").write_text("gate7\n")
    with tarfile.open(tmp_path / "root.tar", "w") as archive:
        archive.add(tmp_path / "root", arcname=".")
    path = tmp_path / "update.bin"
    path.write_bytes(b"WRAP".ljust(64, b"\x91") + (tmp_path / "root.tar").read_bytes())
    return path


def stand_in(folder: Path, deed: str) -> str:
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        pytest.skip("no Python that another user may start")
    path = folder / "unblob"
    path.write_text(STAND_IN.format(python=python, deed=deed))
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    for parent in (path, *path.parents):  # another user is to start it
        if parent.owner() == Path.home().owner() and not parent.stat().st_mode & stat.S_IXOTH:
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
        if parent == Path("/tmp"):
            break
    return str(path)


def test_the_parts_are_given_by_their_places_and_never_links(wrapped: Path, tmp_path: Path) -> None:
    with carved(stand_in(tmp_path, CARVES), wrapped, None) as chunks:
        assert [(c.start, c.handler) for c in chunks] == [(0, "unknown"), (64, "tar")]
        kept = chunks[1].path
        assert kept.read_bytes() == wrapped.read_bytes()[64:]
        who = int((kept.parents[1] / "who").read_text())
        assert who != 0
        assert who == os.geteuid() or os.geteuid() == 0
    assert not kept.exists()


@pytest.mark.parametrize(
    ("deed", "cause"),
    [
        ("sys.exit('no such handler')", "ended with 1: no such handler"),
        ("import time; time.sleep(60)", "not done within"),
        ("""
with open(out / "x", "wb") as file:
    for _ in range(200):
        file.write(b"x" * (1 << 20))
        file.flush()
import time; time.sleep(60)
""", "wrote more than"),
        ("pass", "finds no known part"),
    ],
)  # fmt: skip
def test_a_program_that_misbehaves_is_ended(
    deed: str, cause: str, wrapped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "SECONDS", 8.0 if "not done" in cause else 60.0)
    with pytest.raises(ParseError) as caught, carved(stand_in(tmp_path, deed), wrapped, None):
        pass
    assert cause in caught.value.cause


def test_a_missing_program_is_said(wrapped: Path) -> None:
    with pytest.raises(ParseError, match="not there"), carved("/nowhere/unblob", wrapped, None):
        pass


def test_an_unknown_wrapper_is_scanned_by_its_parts(wrapped: Path, tmp_path: Path) -> None:
    options = ScanOptions(jobs=1, unblob=stand_in(tmp_path, CARVES))
    with Case.open(tmp_path / "case") as case:
        (result,) = scan(case, [str(wrapped)], Catalogue(()), options=options)
        with pytest.raises(TargetError):
            scan(case, [str(wrapped)], Catalogue(()), options=ScanOptions(jobs=1))
    assert result.target == f"{wrapped} » 64-{wrapped.stat().st_size}.tar"
    assert result.coverage.examined["files"] == 1
    assert {(m.area, m.reason) for m in result.coverage.misses} == {("images", "partial"), ("images", "unsupported")}
