"""Partition tables and qcow2."""

from __future__ import annotations

import struct
import uuid
import zlib

import pytest

from hinomi.evidence.sources.image import open_image
from hinomi.model.errors import TargetError

MIB = 1 << 20


@pytest.fixture(scope="module")
def parts(builders, tmp_path_factory):
    """Return the bytes of (a data file system, a root file system)."""
    folder = tmp_path_factory.mktemp("parts")
    data, root = folder / "data", folder / "root"
    data.mkdir()
    (data / "notes.txt").write_text("n")
    for name in ("etc", "bin", "usr/lib"):
        (root / name).mkdir(parents=True)
    (root / "etc/hostname").write_text("gate7\n")
    builders["ext2"](data, folder / "data.img")
    builders["ext4"](root, folder / "root.img")
    return (folder / "data.img").read_bytes(), (folder / "root.img").read_bytes()


def mbr(*images):
    table, body, at = b"", b"", 2048
    for image in images:
        table += struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0x83, 0, 0, 0, at, len(image) // 512)
        body += image
        at += len(image) // 512
    head = b"\0" * 446 + table.ljust(64, b"\0") + b"\x55\xaa"
    return head.ljust(MIB, b"\0") + body


def logical(image):
    first = struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0x05, 0, 0, 0, 2048, 1 << 20)
    inner = struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0x83, 0, 0, 0, 63, len(image) // 512)
    loop = struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0x05, 0, 0, 0, 0, 9)
    head = b"\0" * 446 + first.ljust(64, b"\0") + b"\x55\xaa"
    second = b"\0" * 446 + (inner + loop).ljust(64, b"\0") + b"\x55\xaa"
    return head.ljust(MIB, b"\0") + second.ljust(63 * 512, b"\0") + image


def gpt(*images):
    entries, body, at = b"", b"", 2048
    for image in images:
        last = at + len(image) // 512 - 1
        entries += uuid.uuid4().bytes + uuid.uuid4().bytes + struct.pack("<QQQ", at, last, 0) + b"\0" * 72
        body += image
        at = last + 1
    protective = struct.pack("<BBBBBBBBII", 0, 0, 0, 0, 0xEE, 0, 0, 0, 1, 9999).ljust(64, b"\0")
    head = b"\0" * 446 + protective + b"\x55\xaa"
    header = b"EFI PART" + b"\0" * 64 + struct.pack("<QII", 2, 128, 128)
    return (head + header.ljust(512, b"\0") + entries).ljust(MIB, b"\0") + body


def qcow2(raw, bits=16, packed=False):
    step = 1 << bits
    count = -(-len(raw) // step)
    l1_at, l2_at = step, 2 * step
    tables = -(-count // (step // 8))
    data_at = l2_at + tables * step
    body, l2 = b"", []
    for index in range(count):
        cluster = raw[index * step : (index + 1) * step].ljust(step, b"\0")
        if not cluster.strip(b"\0"):
            l2.append(0)
        elif packed:
            machine = zlib.compressobj(9, zlib.DEFLATED, -12)
            small = machine.compress(cluster) + machine.flush()
            place = data_at + len(body)
            sectors = (place % 512 + len(small) - 1) // 512
            l2.append(1 << 62 | sectors << (62 - (bits - 8)) | place)
            body += small
        else:
            l2.append(1 << 63 | data_at + len(body))
            body += cluster
    header = struct.pack(">4sIQIIQIIQ", b"QFI\xfb", 2, 0, 0, bits, len(raw), 0, tables, l1_at)
    l1 = b"".join((1 << 63 | l2_at + n * step).to_bytes(8, "big") for n in range(tables))
    table = b"".join(e.to_bytes(8, "big") for e in l2).ljust(tables * step, b"\0")
    return header.ljust(step, b"\0") + l1.ljust(step, b"\0") + table + body + b"\0" * 512


def opened(tmp_path, data, kind=None):
    path = tmp_path / "disk.img"
    path.write_bytes(data)
    return open_image(path, kind=kind)


@pytest.mark.parametrize("table", [mbr, gpt])
def test_the_root_partition_stands_for_the_disk(tmp_path, parts, table):
    image = opened(tmp_path, table(*parts))
    assert image.target.host == "gate7"
    assert image.target.name.endswith("disk.img")
    (beside,) = image.beside
    assert beside.target.name.endswith("disk.img » p1")
    assert beside.target.view.read(b"/notes.txt", 9) == b"n"


def test_a_logical_partition_and_a_table_that_loops(tmp_path, parts):
    assert opened(tmp_path, logical(parts[1])).target.host == "gate7"


def test_a_closed_partition_is_said(tmp_path, parts):
    image = opened(tmp_path, mbr(parts[1], b"LUKS\xba\xbe".ljust(MIB, b"x")))
    why = "luks is not opened here; an installed dissect may open it (--dissect)"
    assert image.tree.notes.missed == [("p2", "unsupported", why)]


@pytest.mark.parametrize("packed", [False, True])
def test_qcow2(tmp_path, parts, packed):
    image = opened(tmp_path, qcow2(mbr(*parts), packed=packed))
    assert image.target.host == "gate7"
    assert image.beside[0].target.view.listdir(b"/") == [b"lost+found", b"notes.txt"]


def test_qcow2_with_a_backing_file_is_refused(tmp_path):
    header = struct.pack(">4sIQIIQIIQ", b"QFI\xfb", 2, 512, 9, 16, MIB, 0, 1, 65536)
    with pytest.raises(TargetError, match="backing"):
        opened(tmp_path, header.ljust(1 << 17, b"\0"))


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"#!/bin/sh\necho hello\n" * 99, "no image or archive"),
        (b"", "no image or archive"),
        (b"NXSB".rjust(36).ljust(4096, b"\0"), "apfs"),
        (b"LUKS\xba\xbe".ljust(4096, b"\0"), "luks"),
    ],
)
def test_what_is_no_image_is_refused_with_its_reason(tmp_path, data, cause):
    with pytest.raises(TargetError, match=cause):
        opened(tmp_path, data)


def test_the_kind_can_be_said(tmp_path, parts):
    with pytest.raises(TargetError):
        opened(tmp_path, parts[0], kind="squashfs")
    assert opened(tmp_path, b"\0" * 1024 + parts[0][1024:], kind="ext").target.view.listdir(b"/") != []
