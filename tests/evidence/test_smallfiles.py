"""Small files read by the compiled core: the same as Python reads, or left to Python, which says why."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hinomi.evidence.collect import collect
from hinomi.evidence.collectors.libraries import Libraries
from hinomi.evidence.native import compiled
from hinomi.evidence.smallfiles import AT_ONCE, SmallFiles, small_files
from hinomi.evidence.sources.descriptors import OpenFolder
from hinomi.evidence.sources.root import root_target
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row


@pytest.fixture
def reader(tmp_path: Path) -> SmallFiles:
    if compiled("digests") is None:
        pytest.skip("the compiled core was not built: no C compiler or no Python.h")
    found = small_files(root_target(tmp_path).view, 1 << 30)
    assert found is not None
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[OpenFolder]:
    opened = OpenFolder(os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY))
    yield opened
    opened.release()


def entry_of(folder: Path, name: str) -> Entry:
    entry = root_target(folder).view.entry(b"/" + os.fsencode(name))
    assert entry is not None
    return entry


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, AT_ONCE])
def test_a_file_comes_whole_with_its_digests(tmp_path: Path, reader: SmallFiles, folder: OpenFolder, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    found = reader.read(folder, entry_of(tmp_path, "file"), "md5")
    assert found is not None and found.data == data and found.xattrs == {}
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.digest == hashlib.md5(data, usedforsecurity=False).hexdigest()
    plain = reader.read(folder, entry_of(tmp_path, "file"), None)
    assert plain is not None and plain.digest == plain.sha256


def test_what_is_another_now_is_left_to_python(tmp_path: Path, reader: SmallFiles, folder: OpenFolder) -> None:
    place = tmp_path / "file"
    place.write_bytes(b"x" * 100)
    entry = entry_of(tmp_path, "file")
    place.write_bytes(b"x" * (AT_ONCE + 1))
    assert reader.read(folder, entry, None) is None, "has grown"
    place.unlink()
    assert reader.read(folder, entry, None) is None, "is gone"
    os.mkfifo(place)
    assert reader.read(folder, entry, None) is None, "is a pipe"
    place.unlink()
    place.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"y")
    assert reader.read(folder, entry, None) is None, "is a link"
    assert SmallFiles(compiled("digests"), 50).read(folder, entry_of(tmp_path, "elsewhere"), None) is not None  # type: ignore[arg-type]
    (tmp_path / "elsewhere").write_bytes(b"y" * 51)
    entry = entry_of(tmp_path, "elsewhere")
    assert SmallFiles(compiled("digests"), 50).read(folder, entry, None) is None, "is too large"  # type: ignore[arg-type]


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_are_the_same_with_and_without_the_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, java, jobs: int
) -> None:
    for number in range(40):
        (tmp_path / f"text{number}").write_text("some text " * number)
    (tmp_path / "core.bin").write_bytes(java.jar(java.core_members("open")))
    (tmp_path / "large").write_bytes(bytes(AT_ONCE + 1) + java.jar(java.core_members("hosts")))
    (tmp_path / "loose.class").write_bytes(java.java_class("loose", ["x" * 30]))
    (tmp_path / "package.json").write_text('{"name": "p", "version": "1"}')
    os.link(tmp_path / "core.bin", tmp_path / "twin.jar")

    def run() -> tuple[list[Row], object]:
        rows: list[Row] = []
        coverage = Coverage()
        collect(root_target(tmp_path), rows.append, coverage, collectors=[Libraries()], jobs=jobs)
        return rows, coverage.to_json()

    fast = run()
    monkeypatch.setenv("HINOMI_PURE", "1")
    assert fast == run()
    assert sum(getattr(row, "state", None) == "vulnerable" for row in fast[0]) >= 2
