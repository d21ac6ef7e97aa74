"""What a baseline measures, with the compiled core and in Python: the same of every entry."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from hinomi.evidence.integrity.measure import measure
from hinomi.evidence.integrity.measured import Measured
from hinomi.evidence.integrity.stamps import stamps_of
from hinomi.evidence.native import compiled
from hinomi.evidence.sources.root import RootView, root_target
from hinomi.evidence.target import Limits
from hinomi.model.findings import Coverage


def keep_all(path: bytes, mode: int, content: bytes) -> bool:
    return True


def measured(folder: Path, limits: Limits | None = None) -> tuple[list[Measured], Coverage]:
    coverage = Coverage()
    return list(measure(root_target(folder, limits=limits), coverage, keep_text=keep_all)), coverage


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(30):
        (tmp_path / f"d{number}").mkdir()
        for index in range(number):
            (tmp_path / f"d{number}/f{index}").write_bytes(b"%d\n" % index * index)
    (tmp_path / "text").write_bytes(b"x" * (32 << 10))
    (tmp_path / "longer").write_bytes(b"x" * ((32 << 10) + 1))
    (tmp_path / "large").write_bytes(os.urandom(5 << 20))
    os.link(tmp_path / "text", tmp_path / "d1/again")
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


def test_both_measure_the_same(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled("digests") is None:
        pytest.skip("the compiled core was not built: no C compiler or no Python.h")
    fast, told = measured(tree)
    monkeypatch.setenv("HINOMI_PURE", "1")
    slow, said = measured(tree)
    assert fast == slow and told.to_json() == said.to_json()


def test_content_is_digested_and_small_texts_are_kept(tree: Path, core: str) -> None:
    rows = {row.path: row for row in measured(tree)[0]}
    assert rows[b"/large"].sha256 == hashlib.sha256((tree / "large").read_bytes()).digest()
    assert rows[b"/text"].text == rows[b"/d1/again"].text == b"x" * (32 << 10)
    assert rows[b"/longer"].text is rows[b"/large"].text is rows[b"/fifo"].sha256 is rows[b"/link"].sha256 is None
    assert rows[b"/link"].link == b"/etc/passwd"


def test_what_is_too_large_is_said(tree: Path, core: str) -> None:
    rows, coverage = measured(tree, Limits(max_file_size=1 << 20))
    assert coverage.missed == {"baseline:too-large": 1}
    assert next(row for row in rows if row.path == b"/large").sha256 is None


def test_whoever_stops_early_leaves_nothing_open(tree: Path, core: str) -> None:
    target = root_target(tree)
    before = os.listdir("/proc/self/fd")
    rows = measure(target, Coverage())
    for _ in range(40):
        next(rows)
    rows.close()
    assert os.listdir("/proc/self/fd") == before


def test_stamps_are_the_same_and_move_with_a_file(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = RootView(os.fsencode(tree))
    first = stamps_of(view, Coverage())
    monkeypatch.setenv("HINOMI_PURE", "1")
    assert stamps_of(RootView(os.fsencode(tree)), Coverage()) == first
    (tree / "d7/f3").write_bytes(b"other")
    after = stamps_of(RootView(os.fsencode(tree)), Coverage())
    assert {folder for folder in first if first[folder] != after[folder]} == {b"/d7"}
