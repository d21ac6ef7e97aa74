"""Logs on flash: what was overwritten, deleted, renamed or written twice. Made by hand, node by node."""

from __future__ import annotations

import struct
import zlib

import pytest

from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.images.allowance import Allowance
from hinomi.evidence.images.jffs2 import Jffs2Tree
from hinomi.evidence.images.opening import open_trees
from hinomi.evidence.images.ubi import volumes_of
from hinomi.evidence.images.view import ImageView
from hinomi.model.errors import ParseError


def crc(raw):
    return zlib.crc32(raw, 0xFFFFFFFF) ^ 0xFFFFFFFF


def node(kind, body, data=b""):
    head = struct.pack("<HHI", 0x1985, kind, 12 + len(body) + len(data))
    raw = head + struct.pack("<I", crc(head)) + body + data
    return raw.ljust(-(-len(raw) // 4) * 4, b"\xff")


def entry(folder, version, number, name):
    body = struct.pack("<IIIIBBH", folder, version, number, 7, len(name), 8, 0)
    head = struct.pack("<HHI", 0x1985, 0xE001, 40 + len(name))
    return node(0xE001, body + struct.pack("<II", crc(head + struct.pack("<I", crc(head)) + body), crc(name)), name)


def inode(number, version, size, offset, plain, data, method=0, mode=0o100640):
    body = struct.pack(
        "<IIIHHIIIIIIIBBH", number, version, mode, 7, 8, size, 1, 2, 3, offset, len(data), plain, method, 0, 0
    )
    head = struct.pack("<HHI", 0x1985, 0xE002, 68 + len(data))
    body += struct.pack("<II", crc(data), crc((head + struct.pack("<I", crc(head)) + body)[:60]))
    return node(0xE002, body, data)


def view_of(*nodes):
    return ImageView(Jffs2Tree(BytesSource(b"".join(nodes))))


def test_newer_pieces_lie_over_older_ones():
    view = view_of(
        entry(1, 1, 2, b"log"),
        inode(2, 3, 12, 4, 4, b"NEW!"),
        inode(2, 1, 12, 0, 12, b"aaaabbbbcccc"),
        inode(2, 2, 12, 6, 6, zlib.compress(b"dddddd"), 6),
    )
    assert view.read(b"/log", 99) == b"aaaaNEW!dddd"
    assert (view.entry(b"/log").mode, view.entry(b"/log").mtime, view.entry(b"/log").ctime) == (0o640, 2.0, 3.0)


def test_a_file_cut_short_and_one_with_a_hole():
    view = view_of(
        entry(1, 1, 2, b"short"), inode(2, 1, 12, 0, 12, b"aaaabbbbcccc"), inode(2, 2, 5, 0, 0, b""),
        entry(1, 2, 3, b"hole"), inode(3, 1, 9, 6, 3, b"end"),
    )  # fmt: skip
    assert view.read(b"/short", 99) == b"aaaab"
    assert view.read(b"/hole", 99) == bytes(6) + b"end"


def test_a_deleted_name_is_counted_and_a_renamed_one_moved():
    view = view_of(
        entry(1, 1, 2, b"old"), inode(2, 1, 1, 0, 1, b"x"), entry(1, 2, 2, b"new"), entry(1, 3, 0, b"old"),
    )  # fmt: skip
    assert view.listdir(b"/") == [b"new"]
    assert view.tree.notes.skipped["image:deleted-name"] == 1


def test_a_node_with_a_wrong_sum_is_passed_over():
    broken = bytearray(inode(2, 9, 3, 0, 3, b"bad"))
    broken[30] ^= 1
    view = view_of(entry(1, 1, 2, b"a"), inode(2, 1, 3, 0, 3, b"one"), bytes(broken))
    assert view.read(b"/a", 9) == b"one"
    assert view.tree.notes.skipped["image:node-with-wrong-sum"] == 1


def test_a_folder_that_is_its_own_child_is_walked_once():
    from hinomi.model.findings import Coverage

    coverage = Coverage()
    view = view_of(entry(1, 1, 2, b"d"), inode(2, 1, 0, 0, 0, b"", mode=0o40755), entry(2, 1, 2, b"d"))
    assert len(list(view.walk(coverage))) == 3
    assert [miss.reason for miss in coverage.misses] == ["loop"]


def test_methods_nobody_here_knows_are_said():
    view = view_of(entry(1, 1, 2, b"a"), inode(2, 1, 3, 0, 3, b"???", 5))
    with pytest.raises(OSError, match="compression 5"), view.open(b"/a") as file:
        file.read()


PEB = 16384


def block(volume, number, sequence, data, static=False):
    head = b"UBI#\x01\0\0\0" + struct.pack(">QIII", 1, 512, 1024, 9)
    said = b"UBI!\x01" + bytes([2 if static else 1, 0, 0]) + struct.pack(">II", volume, number)
    said += struct.pack(">4xIIII4xQ", len(data) if static else 0, 0, 0, 0, sequence)
    return (head.ljust(512, b"\0") + said.ljust(512, b"\0") + data).ljust(PEB, b"\xff")


def test_of_two_copies_of_a_block_the_newer_counts():
    image = b"".join([
        block(7, 1, 5, b"second"), block(7, 0, 9, b"newer"), block(7, 0, 8, b"older"), b"\xff" * PEB,
        block(3, 0, 1, b"fixed", static=True),
    ])  # fmt: skip
    fixed, plain = volumes_of(BytesSource(image))
    assert (fixed.name, plain.name) == ("volume 3", "volume 7")
    assert (fixed.source.size, fixed.source.read_at(0, 99)) == (5, b"fixed")
    assert plain.source.read_at(0, 6) == b"newer\xff"
    assert plain.source.read_at(PEB - 1024, 6) == b"second"


def test_flash_without_blocks():
    with pytest.raises(ParseError):
        open_trees(BytesSource(b"UBI#".ljust(PEB * 3, b"\xff")), Allowance(1 << 20))
