"""unblob as a finder of parts. A stand-in speaks the part of its command line and report that is used, as 26.6.4 does."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hinomi.detect.catalogue import Catalogue
from hinomi.evidence.options import ScanOptions
from hinomi.evidence.outside import program
from hinomi.evidence.outside.unblob import parts_of
from hinomi.flow.scanning import scan
from hinomi.model.errors import ParseError, TargetError
from hinomi.store.case import Case

STAND_IN = """#!{python}
import json, os, pathlib, sys
arguments = sys.argv[1:]
assert arguments[:3] == ["--skip-extraction", "--process-num", "1"], arguments
folder, report, image = pathlib.Path(arguments[4]), pathlib.Path(arguments[8]), pathlib.Path(arguments[9])
data = image.read_bytes()
{deed}
"""
# As unblob 26.6.4 reports: every part with its type name, known and unknown ones alike.
FINDS = """
at, end = data.index(b"WRAP") + 64, len(data)
parts = [(0, 64, "UnknownChunkReport", None), (at, end, "ChunkReport", "tar"), (0, 40, "ChunkReport", "cab"),
         (5, 1 << 70, "ChunkReport", "x"), (-1, 5, "ChunkReport", "x"), ("a", None, "ChunkReport", "x")]
reports = [dict(start_offset=a, end_offset=b, __typename__=t, handler_name=h, id=str(os.geteuid())) for a, b, t, h in parts]
report.write_text(json.dumps([dict(task=dict(path=str(image)), reports=reports, subtasks=[])]))
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


@pytest.fixture
def stand_in() -> Iterator[Callable[[str], str]]:
    """Return what makes a stand-in that does a deed, in a folder that other users may enter."""
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        pytest.skip("no Python that another user may start")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)

        def make(deed: str) -> str:
            path = Path(folder, "unblob")
            path.write_text(STAND_IN.format(python=python, deed=deed))
            path.chmod(0o755)
            return str(path)

        yield make


def test_the_known_parts_are_given_by_their_places(wrapped: Path, stand_in: Callable[[str], str]) -> None:
    size = wrapped.stat().st_size
    assert parts_of(stand_in(FINDS), wrapped, None) == [(0, 40, "cab"), (64, size, "tar")]


def test_it_never_runs_as_root(wrapped: Path, stand_in: Callable[[str], str]) -> None:
    with pytest.raises(ParseError) as caught:
        parts_of(stand_in("sys.exit(f'user {os.geteuid()} {os.getgroups()}')"), wrapped, None)
    user = int(caught.value.cause.split("user ")[1].split()[0])
    assert user != 0
    assert os.geteuid() in (0, user)


@pytest.mark.parametrize(
    ("deed", "cause"),
    [
        ("sys.exit('no such handler')", "ended with 1: no such handler"),
        ("import time; time.sleep(3600)", "not done within"),
        ("""
with open(folder / "x", "wb") as file:
    for _ in range(200):
        file.write(b"x" * (1 << 20))
        file.flush()
import time; time.sleep(3600)
""", "wrote more than"),
        ("report.write_text('[{}]')", "report"),
        ("report.write_text('[{\"reports\": []}]')", "finds no known part"),
        ("pass", "report"),
    ],
)  # fmt: skip
def test_a_program_that_misbehaves_is_ended(
    deed: str, cause: str, wrapped: Path, stand_in: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "SECONDS", 8.0 if "not done" in cause else 1800.0)
    with pytest.raises(ParseError) as caught:
        parts_of(stand_in(deed), wrapped, None)
    assert cause in caught.value.cause


def test_a_missing_program_is_said(wrapped: Path) -> None:
    with pytest.raises(ParseError, match="not there"):
        parts_of("/nowhere/unblob", wrapped, None)


def test_an_unknown_wrapper_is_scanned_by_its_parts(
    wrapped: Path, tmp_path: Path, stand_in: Callable[[str], str]
) -> None:
    options = ScanOptions(jobs=1, unblob=stand_in(FINDS))
    with Case.open(tmp_path / "case") as case:
        (result,) = scan(case, [str(wrapped)], Catalogue(()), options=options)
        with pytest.raises(TargetError):
            scan(case, [str(wrapped)], Catalogue(()), options=ScanOptions(jobs=1))
    assert result.target == f"{wrapped} » 64-{wrapped.stat().st_size}.tar"
    assert result.coverage.examined["files"] == 1
    assert {(m.area, m.reason) for m in result.coverage.misses} == {("images", "partial"), ("images", "unsupported")}
