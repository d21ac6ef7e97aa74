"""ISO images by genisoimage: Rock Ridge keeps what the folder has, Joliet at least the names."""

from __future__ import annotations

import os

import pytest

from hinomi.evidence.sources.image import open_image
from hinomi.model.findings import Coverage


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "root"
    deep = root / "a/b/c/d/e/f/g/h/i"
    deep.mkdir(parents=True)
    (deep / "Deep File.conf").write_text("deep")
    (root / "bin").mkdir()
    (root / "bin/run").write_bytes(b"#!/bin/sh\n" * 900)
    (root / "bin/run").chmod(0o4755)
    os.utime(root / "bin/run", (1_500_000_000, 1_500_000_000))
    (root / "way").symlink_to("../x/./bin/run")
    (root / "abs").symlink_to("/bin/run")
    return root


def test_rock_ridge(folder, builders, tmp_path):
    builders["iso-rock-ridge"](folder, tmp_path / "image.iso")
    image = open_image(tmp_path / "image.iso")
    view = image.target.view
    run = view.entry(b"/bin/run")
    assert (run.mode, run.uid, run.mtime, run.size) == (0o4755, os.getuid(), 1_500_000_000, 9000)
    assert view.read(b"/bin/run", 9) == b"#!/bin/sh"
    assert view.read(b"/a/b/c/d/e/f/g/h/i/Deep File.conf", 9) == b"deep"
    assert view.entry(b"/way").link_target == b"../x/./bin/run"
    assert view.entry(b"/abs").link_target == b"/bin/run"
    coverage = Coverage()
    assert len([e for e in view.walk(coverage) if e.kind == "file"]) == 2
    assert coverage.misses == []


def test_joliet(folder, builders, tmp_path):
    builders["iso-joliet"](folder, tmp_path / "image.iso")
    assert open_image(tmp_path / "image.iso").target.view.read(b"/bin/run", 9) == b"#!/bin/sh"
