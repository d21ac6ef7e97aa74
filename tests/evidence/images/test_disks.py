"""Virtual machines' disks and acquisitions: the same disk through every container that the machine's tools write."""

from __future__ import annotations

import struct
import zlib

import pytest

from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.images.allowance import Allowance
from hinomi.evidence.images.beside import FolderBeside
from hinomi.evidence.images.disk import open_disk
from hinomi.evidence.images.opening import open_trees
from hinomi.evidence.images.vmdk import open_vmdk
from hinomi.evidence.sources.image import open_image
from hinomi.model.errors import ParseError, TargetError

MIB = 1 << 20
FORMS = {
    "sparse.vmdk": ("vmdk", "subformat=monolithicSparse"),
    "exported.vmdk": ("vmdk", "subformat=streamOptimized"),
    "flat.vmdk": ("vmdk", "subformat=monolithicFlat"),
    "split.vmdk": ("vmdk", "subformat=twoGbMaxExtentSparse"),
    "split-flat.vmdk": ("vmdk", "subformat=twoGbMaxExtentFlat"),
    "dynamic.vhd": ("vpc", "subformat=dynamic"),
    "fixed.vhd": ("vpc", "subformat=fixed"),
    "dynamic.vhdx": ("vhdx", "subformat=dynamic"),
    "fixed.vhdx": ("vhdx", "subformat=fixed"),
    "packed.qcow2": ("qcow2", "compression_type=zstd"),
}


@pytest.fixture(scope="module")
def disk(builders, tmp_path_factory):
    """Return the file of a raw disk without partitions: a root with one file of noise, so that nothing is a hole."""
    folder = tmp_path_factory.mktemp("disk")
    for name in ("etc", "bin", "usr/lib"):
        (folder / "root" / name).mkdir(parents=True)
    (folder / "root/etc/hostname").write_text("gate7\n")
    (folder / "root/bin/noise").write_bytes(bytes(n * n * 7 >> 3 & 255 for n in range(300_000)))
    builders["ext4"](folder / "root", folder / "raw")
    return folder / "raw"


def check(image, disk):
    assert image.target.host == "gate7"
    assert image.target.view.read(b"/bin/noise", MIB) == open_image(disk).target.view.read(b"/bin/noise", MIB)
    assert image.tree.notes.missed == []


@pytest.mark.parametrize("form", FORMS)
def test_a_disk_of_a_virtual_machine(form, disk, tools, tmp_path):
    kind, option = FORMS[form]
    packed = ["-c"] if form.startswith("packed") else []
    tools("qemu-img", "convert", *packed, "-f", "raw", "-O", kind, "-o", option, disk, tmp_path / form)
    check(open_image(tmp_path / form), disk)


def test_a_snapshot_over_the_disk_it_was_taken_of(disk, tools, tmp_path):
    tools("qemu-img", "convert", "-f", "raw", "-O", "vmdk", disk, tmp_path / "base.vmdk")
    for below, name in (("base.vmdk", "one.vmdk"), ("one.vmdk", "two.vmdk")):
        tools("qemu-img", "create", "-f", "vmdk", "-b", below, "-F", "vmdk", name, cwd=tmp_path)
    check(open_image(tmp_path / "two.vmdk"), disk)
    tools("qemu-io", "-c", "write -P 0x41 65536 65536", "two.vmdk", cwd=tmp_path)
    tools("qemu-img", "convert", "-O", "raw", tmp_path / "two.vmdk", tmp_path / "whole")
    read = open_vmdk(open_disk(bytes(tmp_path / "two.vmdk")), FolderBeside(bytes(tmp_path / "two.vmdk")))
    whole = (tmp_path / "whole").read_bytes()
    assert whole[65536:65540] == b"AAAA"
    assert b"".join(read.read_at(at, MIB) for at in range(0, read.size, MIB)) == whole


def test_a_snapshot_whose_disk_is_gone_or_changed_stays_closed(disk, tools, tmp_path):
    tools("qemu-img", "convert", "-f", "raw", "-O", "vmdk", disk, tmp_path / "base.vmdk")
    tools("qemu-img", "create", "-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk", "over.vmdk", cwd=tmp_path)
    base = tmp_path / "base.vmdk"
    data = base.read_bytes()
    at = data.index(b"CID=") + 4
    base.write_bytes(data[:at] + b"00c0ffee" + data[at + 8 :])
    with pytest.raises(TargetError, match="changed since"):
        open_image(tmp_path / "over.vmdk")
    base.unlink()
    with pytest.raises(TargetError, match="not beside"):
        open_image(tmp_path / "over.vmdk")


def test_a_layer_over_a_disk_beside_it(disk, tools, tmp_path):
    tools("qemu-img", "convert", "-f", "raw", "-O", "qcow2", disk, tmp_path / "base.qcow2")
    tools("qemu-img", "create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "over.qcow2", cwd=tmp_path)
    check(open_image(tmp_path / "over.qcow2"), disk)
    (tmp_path / "base.qcow2").unlink()
    with pytest.raises(TargetError, match="not beside it"):
        open_image(tmp_path / "over.qcow2")


def test_a_part_of_a_split_disk_that_is_gone_is_named(disk, tools, tmp_path):
    tools("qemu-img", "convert", "-O", "vmdk", "-o", FORMS["split.vmdk"][1], disk, tmp_path / "disk.vmdk")
    (tmp_path / "disk-s001.vmdk").unlink()
    with pytest.raises(TargetError, match="s001"):
        open_image(tmp_path / "disk.vmdk")


def test_a_descriptor_reaches_no_file_of_another_folder(disk, tmp_path):
    (tmp_path / "vm").mkdir()
    (tmp_path / "raw").write_bytes(disk.read_bytes())
    sectors = disk.stat().st_size // 512
    for name in ("../raw", str(tmp_path / "raw")):
        text = f'# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\nRW {sectors} FLAT "{name}" 0\n'
        (tmp_path / "vm/disk.vmdk").write_text(text)
        with pytest.raises(TargetError, match="not beside"):
            open_image(tmp_path / "vm/disk.vmdk")


@pytest.mark.parametrize("form", ["encase6", "smart"])
@pytest.mark.parametrize("effort", ["none", "best"])
def test_an_acquisition_by_its_tool(form, effort, disk, tools, tmp_path):
    tools("ewfacquire", "-q", "-u", "-t", tmp_path / "disk", "-f", form, "-c", effort, "-S", "1.4GiB", disk)
    check(open_image(tmp_path / ("disk.s01" if form == "smart" else "disk.E01")), disk)


def section(kind, at, body, last=False):
    size = 76 + len(body)
    return struct.pack("<16sQQ40xI", kind, at if last else at + size, size, 0) + body


def acquisition(raw, segments, chunk=32768):
    """Return the segments of an acquisition, each with as many chunks as it takes; every second is compressed."""
    chunks = [raw[at : at + chunk] for at in range(0, len(raw), chunk)]
    per = -(-len(chunks) // segments)
    volume = struct.pack("<IIIIQ", 1, len(chunks), chunk // 512, 512, len(raw) // 512).ljust(1052, b"\0")
    made = []
    for number in range(segments):
        out = b"EVF\x09\x0d\x0a\xff\x00\x01" + struct.pack("<HH", number + 1, 0)
        if number == 0:
            out += section(b"volume", len(out), volume)
        body, offsets = b"", []
        for index, plain in enumerate(chunks[number * per : (number + 1) * per]):
            packed = index % 2 == 0
            offsets.append(76 + len(body) | packed << 31)
            body += zlib.compress(plain) if packed else plain + b"sums"
        base = len(out)
        out += section(b"sectors", len(out), body)
        entries = b"".join(struct.pack("<I", offset) for offset in offsets) + b"sums"
        out += section(b"table", len(out), struct.pack("<I4xQ4xI", len(offsets), base, 0) + entries)
        out += section(b"done" if number == segments - 1 else b"next", len(out), b"", last=True)
        made.append(out)
    return made


def test_an_acquisition_in_segments(disk, tmp_path):
    names = [f"e{number:02}" for number in range(1, 100)] + ["eaa", "eab"]
    for name, data in zip(names, acquisition(disk.read_bytes(), 101), strict=True):
        (tmp_path / f"disk.{name}").write_bytes(data)
    check(open_image(tmp_path / "disk.e01"), disk)
    (tmp_path / "disk.e07").unlink()
    with pytest.raises(TargetError, match="segments are missing"):
        open_image(tmp_path / "disk.e01")


def test_an_acquisition_whose_sections_run_in_circles():
    (whole,) = acquisition(bytes(65536), 1)
    looped = bytearray(whole)
    looped[13 + 16 : 13 + 24] = struct.pack("<Q", 13)
    with pytest.raises(ParseError, match="damaged"):
        open_trees(BytesSource(bytes(looped)), Allowance(1 << 20))
