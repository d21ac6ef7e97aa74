"""NTFS: written on the spot, and by its own tools where they are here."""

from __future__ import annotations

import struct

import pytest

from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.images.ntfs import NtfsTree
from hinomi.evidence.images.view import ImageView
from hinomi.evidence.sources.image import open_image
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage

PLAIN = b"".join(b"line %d\n" % n for n in range(3000))[:16384]
COMPACT = struct.pack("<I", 4096) + PLAIN[:4396]  # where the second of two chunks begins; both stored as they are
PACKED = b"say it again. " * 4000  # 56,000 bytes: one unit of sixteen clusters, in its packed form


@pytest.fixture(scope="module")
def ntfs(replicas):
    return replicas("ntfs")


@pytest.fixture(scope="module")
def raw(ntfs):
    body = b"say it again. " + struct.pack("<H", (13 << 12) | 0xFFF)  # back 14 bytes, 4,098 on: more than a chunk
    chunk = b"\0" + body[:8] + b"\x40" + body[8:14] + struct.pack("<H", (13 << 12) | (4096 - 14 - 3))
    packed = (struct.pack("<H", 0xB000 | len(chunk) - 1) + chunk) * 14
    files = {
        24: [ntfs.attribute(0x30, ntfs.file_name("a.txt")), ntfs.attribute(0x80, b"hello"),
             ntfs.attribute(0x80, b"#!/bin/sh\n", "hidden.sh")],
        25: [ntfs.attribute(0x30, ntfs.file_name("big.log")), ntfs.apart(0x80, [(2, 64), (1, None), (2, 66)], 5 * 4096)],
        26: [ntfs.attribute(0x30, ntfs.file_name("way")), ntfs.attribute(0xC0, ntfs.symlink("\\??\\C:\\Windows\\a.txt"))],
        27: [ntfs.attribute(0x30, ntfs.file_name("packed")), ntfs.apart(0x80, [(1, 70), (15, None)], 56000, 1, 4)],
        28: [ntfs.attribute(0x30, ntfs.file_name("secret")), ntfs.apart(0x80, [(1, 64)], 9, 0x4000)],
        29: [ntfs.attribute(0x30, ntfs.file_name("system")), ntfs.attribute(0x80, b""),
             ntfs.attribute(0xC0, struct.pack("<IHH", 0x80000017, 8, 0) + bytes(16))],
        31: [ntfs.attribute(0x30, ntfs.file_name("compact")), ntfs.apart(0x80, [(2, None)], 4096 + 300),
             ntfs.attribute(0xC0, struct.pack("<IHHIIII", 0x80000017, 16, 0, 1, 2, 1, 0)),
             ntfs.apart(0x80, [(2, 71)], 4 + 4096 + 300, name="WofCompressedData")],
    }  # fmt: skip
    names = [
        (0, "$MFT"),
        (24, "a.txt"),
        (25, "big.log"),
        (26, "way"),
        (27, "packed"),
        (28, "secret"),
        (29, "system"),
        (31, "compact"),
    ]
    return ntfs.volume(
        {5: ([], [(30, "Windows")]), 30: ([], names)},
        files,
        PLAIN.ljust(6 * 4096, b"\0") + packed.ljust(4096, b"\0") + COMPACT,
    )


def view_of(raw):
    return ImageView(NtfsTree(BytesSource(raw)))


def test_files_streams_and_links(raw, ntfs):
    view = view_of(raw)
    assert view.listdir(b"/Windows") == [
        b"a.txt",
        b"a.txt:hidden.sh",
        b"big.log",
        b"compact",
        b"packed",
        b"secret",
        b"system",
        b"way",
    ]
    assert view.read(b"/Windows/a.txt", 99) == b"hello"
    assert view.read(b"/Windows/a.txt:hidden.sh", 99) == b"#!/bin/sh\n"
    assert view.read(b"/Windows/way", 99) == b"hello"
    entry = view.entry(b"/Windows/big.log")
    assert (entry.size, entry.mtime, entry.mode) == (5 * 4096, float(ntfs.WHEN), 0o644)
    assert view.tree.notes.skipped["image:ntfs-own-file"] == 1


def test_runs_with_a_hole_and_packed_units(raw):
    view = view_of(raw)
    assert view.read(b"/Windows/big.log", 1 << 20) == PLAIN[:8192] + bytes(4096) + PLAIN[8192:16384]
    assert (
        view.read(b"/Windows/packed", 1 << 20)
        == (b"say it again. " * 293)[:4096] * 13 + (b"say it again. " * 200)[:2752]
    )


def test_a_file_that_windows_compressed_is_read_from_its_stream(raw):
    view = view_of(raw)
    assert view.read(b"/Windows/compact", 1 << 20) == PLAIN[:4396]
    assert view.file_source(b"/Windows/compact").read_at(4090, 20) == PLAIN[4090:4110]


@pytest.mark.parametrize(("name", "cause"), [(b"secret", "encrypted"), (b"system", "WOF")])
def test_what_stays_closed_says_why(raw, name, cause):
    view = view_of(raw)
    with pytest.raises(OSError, match=cause):
        view.open(b"/Windows/" + name)


def test_a_volume_in_use_is_said(ntfs):
    tree = NtfsTree(BytesSource(ntfs.volume({5: ([], [])}, {}, dirty=True)))
    assert [reason for _, reason, _ in tree.notes.missed] == ["changed"]


def test_a_record_written_in_part_costs_itself(raw):
    broken = bytearray(raw)
    at = 4 * 4096 + 25 * 1024 + 510
    broken[at : at + 2] = b"??"
    view = view_of(bytes(broken))
    assert b"big.log" not in view.listdir(b"/Windows")
    assert view.tree.notes.missed == [("big.log", "damaged", "a record that was written in part")]


def test_a_folder_inside_itself_is_walked_once(ntfs):
    raw = ntfs.volume({5: ([], [(30, "a")]), 30: ([], [(30, "b")])}, {})
    coverage = Coverage()
    assert len(list(view_of(raw).walk(coverage))) == 3
    assert [miss.reason for miss in coverage.misses] == ["loop"]


def test_a_boot_sector_without_sense(raw):
    with pytest.raises(ParseError):
        NtfsTree(BytesSource(raw[:11] + b"\0\0" + raw[13:]))


def test_a_volume_by_its_own_tools(tools, tmp_path):
    (tmp_path / "data").write_bytes(PLAIN * 9)
    with (tmp_path / "image").open("wb") as file:
        file.truncate(8 << 20)
    tools("mkntfs", "-q", "-F", "-f", tmp_path / "image")
    for number in range(30):  # more than an index's root holds
        tools("ntfscp", "-q", "-f", tmp_path / "image", tmp_path / "data", f"/a-name-that-is-long-{number}")
    tools("ntfscp", "-q", "-f", "-N", "hidden", tmp_path / "image", tmp_path / "data", "/a-name-that-is-long-7")
    view = open_image(tmp_path / "image").target.view
    assert len(view.listdir(b"/")) == 31
    for name in view.listdir(b"/"):
        assert view.read(b"/" + name, 1 << 20) == PLAIN * 9
