"""Hostile images: bombs, loops, lies, names, truncation and flipped bits. Nothing but our errors, within bounds."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.images.disk import open_disk
from hinomi.evidence.images.opening import Allowance, open_trees
from hinomi.evidence.images.view import ImageView
from hinomi.evidence.view import Entry
from hinomi.evidence.workers import Batch, Bounds, WorkerPool
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage

FUZZED = ["ext2", "ext4", "squashfs-gzip", "tar-pax", "cpio-newc", "cpio-odc", "cpio.gz", "tar.xz", "iso-rock-ridge"]
LATER = ["xfs", "btrfs", "erofs", "erofs-lz4", "erofs-lz4-legacy", "ubi", "ubifs-lzo", "jffs2", "squashfs-lzo"]


def tree_of(data, limit=64 << 20):
    return open_trees(BytesSource(data), Allowance(limit))[0].tree


class Damaged:
    """A file with some bytes changed and its end cut off; images of hundreds of megabytes need no copy."""

    def __init__(self, path, flips, size):
        self._source = open_disk(bytes(path))
        self._flips = flips
        self.size = size

    def read_at(self, offset, length):
        data = self._source.read_at(offset, max(0, min(length, self.size - offset)))
        for at, value in self._flips:
            if offset <= at < offset + len(data):
                data = data[: at - offset] + bytes([value]) + data[at - offset + 1 :]
        return data


def everything(data):
    """Walk and read all of an image; return how many entries there are."""
    try:
        opened = open_trees(BytesSource(data) if isinstance(data, bytes) else data, Allowance(64 << 20))
    except ParseError:
        return 0
    count = 0
    for one in opened:
        view = ImageView(one.tree, budget=32 << 20)
        for folder in view.folders(Coverage()):
            for entry in folder.entries:
                count += 1
                view.resolve(entry.path)
                view.xattrs(entry.path)
                if entry.kind == "file":
                    try:
                        folder.open(entry).read(1 << 16)
                    except OSError:
                        continue
    return count


@pytest.fixture(scope="module")
def images(builders, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    source = folder / "tree"
    (source / "etc").mkdir(parents=True)
    (source / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n" * 400)
    (source / "bin").symlink_to("etc")
    made = {}
    for kind in FUZZED:
        builders[kind](source, folder / kind)
        made[kind] = (folder / kind).read_bytes()
    return made


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(FUZZED),
    flips=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=12),
    keep=st.integers(0, 100),
)
def test_flipped_and_cut_images_raise_nothing_else(images, kind, flips, keep):
    data = bytearray(images[kind])
    spots = [at for at in range(min(len(data), 1 << 16)) if data[at]] or [0]
    for at, value in flips:
        data[spots[at % len(spots)]] = value
    everything(bytes(data[: len(data) * keep // 100] if keep < 60 else data))


def written_places(path, most=1 << 16):
    """Return offsets of bytes that are neither zero nor erased flash, the first of them."""
    found = []
    with path.open("rb") as file:
        while len(found) < most and (block := file.read(1 << 16)):
            start = file.tell() - len(block)
            if block.strip(b"\0") and block.strip(b"\xff"):
                found += [start + at for at, value in enumerate(block) if value not in (0, 255)]
    return found


@pytest.mark.parametrize("kind", LATER)
def test_flipped_and_cut_file_systems_in_bounded_processes(kind, builders, tmp_path):
    """Every image is walked whole by a process of its own, bounded in memory and time; none dies or hangs."""
    source = tmp_path / "tree"
    (source / "etc").mkdir(parents=True)
    (source / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n" * 400)
    (source / "bin").symlink_to("etc")
    for number in range(60):
        (source / f"etc/f{number}").write_text("x" * number)
    builders[kind](source, tmp_path / "image")
    whole, places = (tmp_path / "image").stat().st_size, written_places(tmp_path / "image")
    random = Random(7)

    def answer(entry):
        flips = [(random.choice(places), random.randrange(256)) for _ in range(entry.size % 12)]
        return b"%d" % everything(
            Damaged(tmp_path / "image", flips, whole if entry.inode % 3 else random.randrange(whole))
        )

    pool, batch = WorkerPool(answer, 1, Bounds(30.0, 1 << 30), answer), Batch()
    for number in range(60):
        batch.add(Entry(b"/%d" % number, "file", number, 0, 0, 0, number + 1, 1, 1, 0.0, 0.0))
    try:
        pool.submit(batch)
        while batch.left:
            pool.pump(wait=True)
    finally:
        pool.close()
    assert [one for one in batch.answers if not isinstance(one, bytes)] == []
    assert int(batch.answers[0]) == 64  # undamaged: all of it


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    head=st.sampled_from(
        [
            b"070701",
            b"hsqs",
            b"QFI\xfb",
            b"\x1f\x8b\x08",
            b"PK\x03\x04",
            b"!<arch>\n",
            b"\xfd7zXZ\0",
            b"KDMV",
            b"COWD",
            b"EVF\x09\x0d\x0a\xff\x00",
            b"vhdxfile",
            b"conectix",
            b"XFSB",
            b"UBI#",
            b"Rar!\x1a\x07",
            b"\x31\x18\x10\x06",
            b"\xeb\x52\x90NTFS    ",
            b"\0" * 512 + b"LABELONE",
            b"# Disk DescriptorFile\nRW 9 ",
        ]
    ),
    rest=st.binary(max_size=2000),
)
def test_noise_behind_a_magic(head, rest):
    everything(head + rest)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.binary(min_size=900, max_size=900))
def test_noise_as_an_ext_superblock(noise):
    everything(b"\0" * 1024 + noise[:56] + b"\x53\xef" + noise[58:] + b"\0" * 8000)


def member(name, data=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    return info.tobuf(tarfile.GNU_FORMAT) + data + b"\0" * (-len(data) % 512)


END = b"\0" * 1024


def test_names_that_leave_the_image_stay_inside_and_are_said():
    tree = tree_of(member("../../etc/cron.d/x", b"1") + member("/etc/passwd", b"2") + END)
    view = ImageView(tree)
    assert view.read(b"/etc/cron.d/x", 9) == b"1"
    assert view.read(b"/etc/passwd", 9) == b"2"
    assert any("name-leaves-image" in why for why in tree.notes.skipped)


def test_the_last_of_two_members_wins_and_is_said():
    tree = tree_of(member("a", b"first") + member("a", b"last") + END)
    assert ImageView(tree).read(b"/a", 9) == b"last"
    assert tree.notes.skipped["duplicate-name:a"] == 1


def test_a_member_below_a_link_is_put_where_unpacking_would():
    tree = tree_of(
        member("real/x", b"1") + member("way", kind=tarfile.SYMTYPE, link="real") + member("way/y", b"2") + END
    )
    assert ImageView(tree).listdir(b"/real") == [b"x", b"y"]


def test_links_out_resolve_inside_and_loops_do_not_resolve():
    tree = tree_of(
        member("etc/passwd", b"inside")
        + member("out", kind=tarfile.SYMTYPE, link="../../../../etc/passwd")
        + member("l1", kind=tarfile.SYMTYPE, link="l2")
        + member("l2", kind=tarfile.SYMTYPE, link="l1")
        + END
    )
    view = ImageView(tree)
    assert view.read(b"/out", 9) == b"inside"
    assert view.resolve(b"/l1") is None


def test_devices_are_entries_and_never_open():
    view = ImageView(tree_of(member("dev/sda", kind=tarfile.BLKTYPE) + member("fifo", kind=tarfile.FIFOTYPE) + END))
    assert view.entry(b"/dev/sda").kind == "block-device"
    with pytest.raises(OSError, match="not a regular file"):
        view.open(b"/dev/sda")


def test_a_damaged_header_does_not_hide_the_rest():
    tree = tree_of(member("a", b"1") + b"\xff" * 512 + member("b", b"2") + END)
    assert ImageView(tree).listdir(b"/") == [b"a", b"b"]
    assert tree.notes.missed[0][1] == "damaged"


def test_members_behind_the_end_mark_are_seen():
    tree = tree_of(member("a", b"1") + END + member("hidden", b"2") + END)
    assert ImageView(tree).listdir(b"/") == [b"a", b"hidden"]


def test_a_tar_cut_inside_a_member_is_said():
    tree = tree_of(member("a", b"1") + member("b", b"2" * 9000)[:2000])
    assert ("b", "truncated", "tar ends inside a member") in tree.notes.missed


def test_hard_links_before_and_after_their_file():
    tree = tree_of(
        member("early", kind=tarfile.LNKTYPE, link="file")
        + member("file", b"data")
        + member("late", kind=tarfile.LNKTYPE, link="./file")
        + member("lost", kind=tarfile.LNKTYPE, link="nowhere")
        + END
    )
    view = ImageView(tree)
    assert view.read(b"/early", 9) == view.read(b"/late", 9) == b"data"
    assert view.entry(b"/file").links == 3
    assert tree.notes.missed == [("lost", "damaged", "hard link to nothing: nowhere")]


def test_a_bomb_costs_its_allowance_only():
    bomb = gzip.compress(b"\0" * (80 << 20))
    with pytest.raises(BudgetError):
        tree_of(bomb, limit=20 << 20)


def test_wrappers_without_end_are_refused():
    data = member("x", b"1") + END
    for _ in range(12):
        data = gzip.compress(data)
    with pytest.raises(BudgetError):
        tree_of(data)


def test_endless_sparse_files_stop_at_the_views_budget(images):
    class Huge:
        size = 1 << 40

        def read_at(self, offset, length):
            return bytes(length)

    tree = tree_of(member("a") + END)
    tree.find(b"a").content = Huge
    view = ImageView(tree, budget=8 << 20)
    with pytest.raises(OSError, match="larger"), view.open(b"/a") as file:
        while file.read(1 << 20):
            pass


def test_a_folder_that_holds_itself_is_walked_once(images):
    data = bytearray(images["ext2"])
    tree = tree_of(bytes(data))
    number = tree.children(tree.root)[b"lost+found"].inode
    at = data.find(struct.pack("<IHBB", number, 20, 10, 2) + b"lost+found")
    data[at : at + 4] = struct.pack("<I", 2)
    coverage = Coverage()
    paths = [entry.path for entry in ImageView(tree_of(bytes(data))).walk(coverage)]
    assert len(paths) == len(set(paths)) < 20
    assert [miss.reason for miss in coverage.misses] == ["loop"]


def test_an_encrypted_zip_member_is_said():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("etc/x", b"data")
    data = bytearray(out.getvalue())
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    tree = tree_of(bytes(data))
    assert ("etc/x", "encrypted", "") in tree.notes.missed
    with pytest.raises(OSError, match="encrypted"):
        ImageView(tree).open(b"/etc/x")


def test_zip_keeps_modes_links_and_deflated_content():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo("bin/run", (2020, 1, 2, 3, 4, 6))
        info.external_attr, info.compress_type = 0o100755 << 16, zipfile.ZIP_DEFLATED
        archive.writestr(info, b"#!/bin/sh\n" * 500)
        link = zipfile.ZipInfo("way")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "bin/run")
    view = ImageView(tree_of(out.getvalue()))
    assert view.read(b"/way", 9) == b"#!/bin/sh"
    assert (view.entry(b"/bin/run").mode, view.entry(b"/bin/run").mtime) == (0o755, 1577934246.0)


def test_an_eight_gigabyte_sparse_image_is_read_in_place(builders, tmp_path):
    source = tmp_path / "tree"
    (source / "etc").mkdir(parents=True)
    (source / "etc/x").write_text("1")
    builders["ext4"](source, tmp_path / "image")
    with (tmp_path / "image").open("r+b") as file:
        file.truncate(8 << 30)
    from hinomi.evidence.sources.image import image_target

    before = bytes_read()
    assert image_target(tmp_path / "image").view.read(b"/etc/x", 9) == b"1"
    assert bytes_read() - before < 256 << 20


def bytes_read() -> int:
    """What this process has read so far, from memory or disk."""
    return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])
