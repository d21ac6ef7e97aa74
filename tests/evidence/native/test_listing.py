"""Folders listed in C and in Python: the same entries, whatever lies in them."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from hinomi.evidence.native import compiled
from hinomi.evidence.options import Selection
from hinomi.evidence.sources.root import RootView
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage


def fill(folder: Path) -> None:
    for name in (b"plain", b"\xff\xfe", b"new\nline", b"-rf", b"Z", b"a" * 255, "火の見".encode(), b".hidden", b"..."):
        (folder / os.fsdecode(name)).write_bytes(name)
    (folder / "folder/below").mkdir(parents=True)
    (folder / "link").symlink_to("x" * 4000)
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        at = os.open(folder, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{at}/socket")
        os.close(at)
    (folder / "plain").chmod(0o4755)
    (folder / "sparse").touch()
    os.truncate(folder / "sparse", 8 << 30)
    os.utime(folder / "plain", ns=(1, -1_500_000_001))
    os.utime(folder / "-rf", ns=(1, 4_102_444_800_123_456_789))
    os.link(folder / "plain", folder / "twin")


def walked(folder: Path) -> list[Entry]:
    coverage = Coverage()
    entries = list(RootView(os.fsencode(folder)).walk(coverage))
    assert coverage.complete and not coverage.missed
    return entries


def test_compiled_and_python_list_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled("listing") is None:
        pytest.skip("the compiled core was not built: no C compiler or no Python.h")
    fill(tmp_path)
    for number in range(3000):
        (tmp_path / "folder" / f"{number * 7919 % 3000}").touch()

    monkeypatch.setenv("HINOMI_PURE", "1")
    slow = walked(tmp_path)
    monkeypatch.delenv("HINOMI_PURE")
    fast = walked(tmp_path)

    assert [tuple(map(repr, entry)) for entry in fast] == [tuple(map(repr, entry)) for entry in slow]
    assert len(fast) == 3018 and all(type(entry) is Entry for entry in fast)


def test_every_kind_of_entry_is_told(tmp_path: Path, core: str) -> None:
    fill(tmp_path)
    found = {entry.name: entry for entry in walked(tmp_path)}
    assert found[b"fifo"].kind == "fifo" and found[b"socket"].kind == "socket" and found[b"folder"].kind == "directory"
    assert (found[b"link"].kind, found[b"link"].link_target) == ("symlink", b"x" * 4000)
    assert (found[b"plain"].mode, found[b"plain"].links, found[b"plain"].mtime_ns) == (0o4755, 2, -1_500_000_001)
    assert found[b"sparse"].size == 8 << 30 and found[b"twin"].inode == found[b"plain"].inode
    assert list(found) == [b"", *sorted(found.keys() - {b"", b"below"}), b"below"]


def test_a_folder_that_cannot_be_listed_is_a_miss(tmp_path: Path, core: str) -> None:
    view = RootView(os.fsencode(tmp_path))
    coverage = Coverage()
    fd = os.open(tmp_path / "file", os.O_RDONLY | os.O_CREAT)
    try:
        assert view.entries_of(b"/file", fd, coverage) == []
    finally:
        os.close(fd)
    assert coverage.missed == {"walk:changed": 1}  # it is no folder (any longer)


def test_what_is_left_out_is_not_even_asked_for(tmp_path: Path, core: str) -> None:
    fill(tmp_path)
    coverage = Coverage()
    view = RootView(os.fsencode(tmp_path), exclude=[b"/folder/below"], mounts={b"/fifo": "nfs"})
    names = {entry.path for entry in view.walk(coverage)}
    assert b"/plain" in names and not {b"/fifo", b"/folder/below"} & names
    assert coverage.skipped["file-system:nfs"] == 1 and coverage.skipped["excluded:/folder/below"] == 1


def test_a_choice_of_entries_gives_those_entries(tmp_path: Path, core: str) -> None:
    fill(tmp_path)
    everything = {entry.path: entry for entry in walked(tmp_path)}
    coverage = Coverage()
    chosen = list(RootView(os.fsencode(tmp_path), selection=Selection(exclude=["/folder", "*f*", "Z"])).walk(coverage))
    left = [
        path for path in everything if b"f" not in path.rpartition(b"/")[2] and path not in (b"/Z", b"/folder/below")
    ]
    assert chosen == [everything[path] for path in sorted(left)] and len(left) == 13
    assert coverage.skipped["not-chosen"] == 4 and not coverage.missed


def test_only_names_that_are_asked_for_are_told(tmp_path: Path) -> None:
    module = compiled("listing")
    if module is None:
        pytest.skip("the compiled core was not built: no C compiler or no Python.h")
    fill(tmp_path)
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        entries, refused = module.list_folder(fd, b"/", Entry, 0, [b"plain", b"gone", b"", b"link"])
        assert [entry.path for entry in entries] == [b"/link", b"/plain"] and refused == [b"/", b"/gone"]
        assert module.list_folder(fd, b"/", Entry, 0, []) == ([], [])
        for wrong, error in (
            ("plain", TypeError),
            ((b"plain",), TypeError),
            (["plain"], TypeError),
            ([b"a\0"], ValueError),
        ):
            with pytest.raises(error):
                module.list_folder(fd, b"/", Entry, 0, wrong)
    finally:
        os.close(fd)


def test_entries_of_another_class_are_refused(tmp_path: Path) -> None:
    module = compiled("listing")
    if module is None:
        pytest.skip("the compiled core was not built: no C compiler or no Python.h")
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(TypeError):
            module.list_folder(fd, b"/", dict, 0)
        with pytest.raises(TypeError):
            module.list_folder(fd, b"/", 5, 0)
    finally:
        os.close(fd)
