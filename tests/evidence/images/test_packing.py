"""What the packing of an image tells, from images made and changed with the real tools."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess

import pytest

from hinomi.evidence.images.ext import ExtTree
from hinomi.evidence.images.extleft import leftovers
from hinomi.evidence.sources.image import open_image

MADE, CHANGED = 1_600_000_000, 1_650_000_000


def run(*command, at=MADE):
    tool = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if tool is None:
        pytest.skip(f"{command[0]} is not here")
    environment = os.environ | {"E2FSPROGS_FAKE_TIME": str(at)}
    subprocess.run([tool, *map(str, command[1:])], check=True, capture_output=True, timeout=1800, env=environment)


@pytest.fixture
def vendor(tmp_path):
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    run("mke2fs", "-q", "-F", "-t", "ext2", "-d", tmp_path / "root", tmp_path / "image", "1M")
    return tmp_path / "image"


def row_of(path, data):
    path.write_bytes(data)
    return open_image(path).row


def test_an_image_as_it_was_made(vendor, tmp_path):
    row = row_of(tmp_path / "vendor.gz", gzip.compress(vendor.read_bytes(), 9, mtime=0))
    assert (row.kind, row.path, row.gzip, row.gzip_name, row.gzip_mtime) == ("ext", "vendor.gz", True, None, None)
    assert row.gzip_effort == "best"
    assert (row.made_at, row.written_at, row.mount_count, row.last_mounted) == (MADE, MADE, 0, None)


def test_an_image_that_was_changed_and_packed_again(vendor, tmp_path):
    for field, value in (("mnt_count", "1"), ("last_mounted", "/var/tmp/way"), ("mtime", f"@{CHANGED}")):
        run("debugfs", "-w", "-R", f"set_super_value {field} {value}", vendor, at=CHANGED)
    run("debugfs", "-w", "-R", "rm /etc/passwd", vendor, at=CHANGED)
    run("gzip", vendor)
    row = row_of(tmp_path / "next.gz", (tmp_path / "image.gz").read_bytes())
    assert (row.gzip_name, row.gzip_effort) == ("image", "other")
    assert (row.made_at, row.mount_count, row.last_mounted) == (MADE, 1, "/var/tmp/way")
    assert row.mounted_at == CHANGED


def test_cpio_numbering(builders, tmp_path):
    (tmp_path / "root/etc").mkdir(parents=True)
    builders["cpio-newc"](tmp_path / "root", tmp_path / "cpio")
    row = open_image(tmp_path / "cpio").row
    assert (row.kind, row.members, row.gzip) == ("cpio", 2, False)
    assert row.device is not None and ":" in row.device


def test_squashfs_says_when_it_was_made(builders, tmp_path):
    (tmp_path / "root").mkdir()
    builders["squashfs-gzip"](tmp_path / "root", tmp_path / "image")
    made = open_image(tmp_path / "image").row.made_at
    assert made is not None and abs(made - (tmp_path / "image").stat().st_mtime) < 60


def left_in(path):
    tree = open_image(path).tree
    assert isinstance(tree, ExtTree)
    return list(leftovers("image", tree))


@pytest.mark.parametrize("kind", ["ext2", "ext4"])
def test_a_builders_image_holds_no_remnants(kind, tmp_path):
    (tmp_path / "root/etc").mkdir(parents=True)
    for number in range(300):
        (tmp_path / f"root/etc/file{number}").write_text(f"content {number}\n" * number)
    run("mke2fs", "-q", "-F", "-t", kind, "-d", tmp_path / "root", tmp_path / "image", "8M")
    assert left_in(tmp_path / "image") == []


def test_a_replaced_account_file_leaves_its_old_lines(vendor, tmp_path):
    (tmp_path / "new").write_text("root:x:0:0::/:/bin/sh\nops:x:0:0::/:/bin/sh\n")
    script = tmp_path / "script"
    script.write_text(
        f"rm /etc/passwd\nwrite {tmp_path / 'new'} /etc/later\nwrite {tmp_path / 'new'} /etc/passwd\nrm /etc/later\n"
    )
    run("debugfs", "-w", "-f", script, vendor, at=CHANGED)
    found = left_in(vendor)
    by_kind = {row.kind: row for row in found}
    assert by_kind.keys() >= {"freed-blocks", "deleted-name"}
    name = by_kind["deleted-name"]
    assert (name.name, vendor.read_bytes()[name.offset + 8 : name.offset + 13]) == ("later", b"later")
    block = by_kind["freed-blocks"]
    assert (block.text or "").startswith("root:x:0:0")
    assert vendor.read_bytes()[block.offset :].startswith(b"root:x:0:0")
