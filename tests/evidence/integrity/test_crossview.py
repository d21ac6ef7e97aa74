"""Folders listed and read as their file system keeps them, on real ones mounted in a namespace of their own."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hinomi.evidence.integrity import blocks
from hinomi.evidence.integrity.crossview import HiddenEntry, Listed, hidden_entries, listed
from hinomi.evidence.sources.root import root_target
from hinomi.model.findings import Coverage


@pytest.fixture(scope="module", params=["ext4", "ext2", "xfs", "btrfs"])
def looks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    maker = shutil.which(f"mkfs.{request.param}")
    if os.geteuid() != 0 or maker is None or shutil.which("unshare") is None:
        pytest.skip("needs root, mkfs and unshare")
    folder = tmp_path_factory.mktemp("crossview")
    image, point = folder / "image", folder / "point"
    image.write_bytes(b"")
    os.truncate(image, {"xfs": 320, "btrfs": 128}.get(request.param, 32) << 20)
    point.mkdir()
    subprocess.run([maker, "-q", *(["-F"] if request.param.startswith("ext") else []), str(image)], check=True)
    script = Path(__file__).with_name("crossview_inside.py")
    words = ["unshare", "--mount", sys.executable, str(script), str(image), str(point)]
    done = subprocess.run(words, capture_output=True, text=True)
    if "mount" in done.stderr and not done.stdout:
        pytest.skip(f"cannot mount here: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found | {"kind": request.param}


def test_mounts_over_folders_and_large_folders_are_quiet(looks: dict[str, Any]) -> None:
    assert looks["honest"]["hidden"] == []
    assert looks["honest"]["examined"] > 8
    assert looks["honest"]["skipped"] == ["not-cross-checked:tmpfs:no-live-reader"]


def test_a_file_that_the_listing_hides_is_found_in_the_blocks(looks: dict[str, Any]) -> None:
    paths = {path for path, _, _ in looks["file"]["hidden"]}
    assert paths == {"/usr/bin/implant", "/bound/bin/implant", "/srv/sub/implant"}
    assert all("in its folder as stored" in how for _, _, how in looks["file"]["hidden"])


def test_what_xfs_has_not_had_time_to_write_is_said(looks: dict[str, Any]) -> None:
    found = looks["fresh"]
    if looks["kind"] == "xfs":
        assert found["hidden"] == [] and "not-cross-checked:changing" in found["skipped"]
    else:
        assert found["hidden"] == looks["file"]["hidden"]


def test_a_hidden_folder_is_found_in_the_blocks(looks: dict[str, Any]) -> None:
    assert ["/usr/lib/.x", "directory"] in [row[:2] for row in looks["folder"]["hidden"]]


def test_a_file_system_in_use_is_quiet(looks: dict[str, Any]) -> None:
    assert looks["busy"]["hidden"] == []


def test_without_the_device_link_counts_tell_and_the_rest_is_said(looks: dict[str, Any]) -> None:
    found = looks["unreadable"]
    assert (
        looks["kind"] == "btrfs"
        or ["/usr/lib/?", "directory", "link count 3: 1 sub-folders, 0 listed"] in found["hidden"]
    )
    assert any(kind.endswith(":no-live-reader") for kind in found["skipped"])
    assert found["examined"] == 0


def test_names_with_the_same_hash_stand_in_one_item_of_btrfs() -> None:
    def entry(inode: int, name: bytes, data: bytes = b"") -> bytes:
        return struct.pack("<QBQQHHB", inode, 1, 0, 7, len(data), len(name), 1) + name + data

    item = entry(300, b"one") + entry(301, b"two", b"data") + entry(302, b"three")
    assert list(blocks._entries(item)) == [(b"one", 300), (b"two", 301), (b"three", 302)]
    assert list(blocks._entries(item[:-6])) == [(b"one", 300), (b"two", 301)]


def test_names_that_answer_without_being_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/implant").touch()
    target = root_target(tmp_path)
    assert hidden_entries(target, [b"/a/implant", b"/a/gone"], Coverage(), raw=False) == []
    monkeypatch.setattr(target.view, "listdir", lambda path: [])
    found = hidden_entries(target, [b"/a/implant", b"/a/gone"], Coverage(), raw=False)
    assert found == [HiddenEntry(b"/a/implant", "file", "stat")]


def test_a_listing_tells_folders_from_links_to_them(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        found: Listed = listed(fd)
    finally:
        os.close(fd)
    assert found == {b"folder": True, b"link": False}
