"""Every kind of image shows the same tree as the folder it was made from."""

from __future__ import annotations

import hashlib
import os

import pytest

from hinomi.evidence.sources.image import open_image
from hinomi.evidence.sources.root import RootView
from hinomi.model.findings import Coverage


def facts(view, times=True):
    """Return {path: attributes and digest} of every entry but the root and lost+found."""
    found, numbers = {}, {}
    coverage = Coverage()
    for folder in view.folders(coverage):
        for entry in folder.entries:
            if entry.path in (b"/", b"/lost+found"):
                continue
            digest = None
            if entry.kind == "file":
                handle = folder.open(entry)
                with handle.reader() as reader:
                    digest = hashlib.sha256(reader.read()).hexdigest()
                handle.close()
            size = entry.size if entry.kind == "file" else 0
            links = entry.links if entry.kind == "file" else 0
            if entry.kind == "file" and links > 1:
                numbers.setdefault(entry.inode, []).append(entry.path)
            mode = entry.mode if entry.kind != "symlink" else 0
            found[entry.path] = (
                entry.kind, size, mode, entry.uid, entry.gid, int(entry.mtime), links, entry.link_target, digest,
            )  # fmt: skip
        if hasattr(folder, "release"):
            folder.release()
    assert coverage.misses == []
    return found, sorted(numbers.values())


KINDS = [
    "ext2", "ext3", "ext4", "ext2.gz", "ext4.xz", "squashfs-gzip", "squashfs-xz", "squashfs-zstd", "squashfs-lz4",
    "squashfs-lzo", "squashfs-lzma", "btrfs", "erofs", "erofs-lz4", "erofs-lz4-big", "erofs-lz4-tails",
    "erofs-lz4-legacy", "erofs-chunks", "ubifs-lzo", "ubifs-zlib", "ubifs-zstd", "ubi", "jffs2",
    "jffs2-big-endian", "jffs2-lzo", "jffs2-rtime",
    "cpio-newc", "cpio-odc", "cpio-crc", "cpio.gz", "tar-gnu", "tar-pax", "tar-ustar", "tar.gz", "tar.xz", "tar.bz2",
    "tar.zst",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_same_tree_as_the_folder(kind, tree, builders, tmp_path):
    out = tmp_path / "image.bin"
    builders[kind](tree, out)
    image = open_image(out)
    expected = facts(RootView(os.fsencode(tree)))
    assert facts(image.target.view) == expected
    assert image.tree.notes.missed == []


@pytest.mark.parametrize("kind", ["xfs", "xfs-4"])
def test_xfs_shows_what_its_prototype_said(kind, builders, tmp_path):
    folder = tmp_path / "tree"
    for name in ("etc", "many", "few"):
        (folder / name).mkdir(parents=True)
    (folder / "etc/tool").write_bytes(bytes(range(256)) * 1400)
    (folder / "etc/tool").chmod(0o4755)
    (folder / "etc/far").symlink_to("x" * 900)
    (folder / "etc/near").symlink_to("tool")
    for number in range(900):  # a folder of several blocks, with indexes of their own
        (folder / f"many/file-with-a-longer-name-{number:04}").write_bytes(b"")
    (folder / "few/x").write_text("1")
    builders[kind](folder, tmp_path / "image")
    image = open_image(tmp_path / "image")
    expected, _ = facts(RootView(os.fsencode(folder)))
    found, _ = facts(image.target.view)
    drop = slice(0, 5)
    assert {k: (*v[drop], *v[6:]) for k, v in found.items()} == {k: (*v[drop], *v[6:]) for k, v in expected.items()}
    assert image.tree.notes.missed == []
