"""Differencing VHD and VHDX: sectors of the child over those of the parent beside it, and nothing from elsewhere."""

from __future__ import annotations

import struct
from uuid import UUID

import pytest

from hinomi.evidence.images.beside import FolderBeside
from hinomi.evidence.images.disk import open_disk
from hinomi.evidence.images.disks import disk_inside
from hinomi.evidence.images.kinds import recognise
from hinomi.evidence.images.tree import Notes
from hinomi.model.errors import ParseError

MIB = 1 << 20
SIZE = 3 * MIB
PARENT_ID = UUID("11111111-2222-3333-4444-555555555555")
CHILD_ID = UUID("99999999-2222-3333-4444-555555555555")
PLAIN = b"".join(struct.pack("<I", number) for number in range(SIZE // 4))
NEW = b"new sector".ljust(512, b"!")


def vhd_footer(kind, own, header=0xFFFFFFFFFFFFFFFF):
    body = struct.pack(">8sIIQ4x8x4xQQ4xI4x", b"conectix", 2, 0x10000, header, SIZE, SIZE, kind)
    return body.ljust(68, b"\0")[:68] + own.bytes + bytes(512 - 84)


def vhd_parent():
    return PLAIN + vhd_footer(2, PARENT_ID)


def vhd_child(parent="base.vhd", linked=PARENT_ID, own=CHILD_ID):
    """Sectors 1 and 2 of the second block are the child's own; the third block is all the parent's."""
    head = struct.pack(">8sQQIIII", b"cxsparse", 0xFFFFFFFFFFFFFFFF, 1536 + 512, 0x10000, 3, MIB, 0) + linked.bytes
    head = head.ljust(64, b"\0") + parent.encode("utf-16-be").ljust(512, b"\0")
    table = struct.pack(">III", 0xFFFFFFFF, 5, 0xFFFFFFFF).ljust(512, b"\xff")
    block = bytes([0b01100000]).ljust(512, b"\0") + bytes(512) + NEW + NEW + bytes(MIB - 1536)
    footer = vhd_footer(4, own, 512)
    return footer + head.ljust(1536, b"\0") + table + block + footer


def item(name, value):
    return UUID(name).bytes_le, value


def vhdx(own, parent=None, table=(), data=b""):
    """A VHDX of 1 MiB blocks; the table stands at 2 MiB, `data` from 3 MiB on."""
    head = struct.pack("<4sIQ16s16s16s", b"head", 0, 1, bytes(16), own.bytes_le, bytes(16))
    regions = struct.pack("<4sIII", b"regi", 0, 2, 0)
    regions += UUID("2dc27766-f623-4200-9d64-115e9bfd4a08").bytes_le + struct.pack("<QII", 2 * MIB, MIB, 1)
    regions += UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le + struct.pack("<QII", MIB, MIB, 1)
    items = [
        item("caa16737-fa36-4d43-b3b6-33f0aa44e76b", struct.pack("<II", MIB, 2 if parent else 0)),
        item("2fa54224-cd1b-4876-b211-5dbed83bf4b8", struct.pack("<Q", SIZE)),
        item("8141bf1d-a96f-4709-ba47-f233a8faab5f", struct.pack("<I", 512)),
    ]
    if parent:
        items.append(item("a8d35f2d-b30b-454d-abf7-d3d84834ab0c", locator(parent)))
    listed, values = struct.pack("<8sHH20x", b"metadata", 0, len(items)), b""
    for guid, value in items:
        listed += guid + struct.pack("<III4x", (64 << 10) + len(values), len(value), 0)
        values += value
    raw = bytearray(3 * MIB)
    places = {0: b"vhdxfile", 64 << 10: head, 192 << 10: regions, MIB: listed, MIB + (64 << 10): values,
              2 * MIB: struct.pack(f"<{len(table)}Q", *table)}  # fmt: skip
    for at, value in places.items():
        raw[at : at + len(value)] = value
    return bytes(raw) + data


def locator(said):
    texts, entries = b"", b""
    start = 20 + 12 * len(said)
    for key, value in said.items():
        pair = [text.encode("utf-16-le") for text in (key, value)]
        entries += struct.pack("<IIHH", start + len(texts), start + len(texts) + len(pair[0]), *map(len, pair))
        texts += b"".join(pair)
    return bytes(18) + struct.pack("<H", len(said)) + entries + texts


def vhdx_parent():
    return vhdx(PARENT_ID, table=[(3 + n) << 20 | 6 for n in range(3)], data=PLAIN)


def vhdx_child(parent="..\\base.vhdx", linked=PARENT_ID, own=CHILD_ID):
    """As `vhd_child`; the bitmap of the blocks of one chunk is the entry behind them."""
    ratio = (1 << 23) * 512 // MIB
    table = [0] * (ratio + 1)
    table[1] = 3 << 20 | 7
    table[ratio] = 4 << 20 | 6
    bitmap = bytes(MIB // 512 // 8) + bytes([0b00000110])
    data = (bytes(512) + NEW + NEW).ljust(MIB, b"\0") + bitmap.ljust(MIB, b"\0")
    return vhdx(own, {"parent_linkage": f"{{{linked}}}", "relative_path": parent}, table, data)


CASES = {"vhd": ("base.vhd", vhd_parent, vhd_child), "vhdx": ("base.vhdx", vhdx_parent, vhdx_child)}


@pytest.fixture(params=CASES)
def case(request):
    return request.param, *CASES[request.param]


def opened(path):
    source = open_disk(bytes(path))
    return disk_inside(recognise(source), source, FolderBeside(bytes(path)), Notes())


def test_the_childs_sectors_lie_over_the_parents(case, tmp_path):
    kind, name, parent, child = case
    (tmp_path / name).write_bytes(parent())
    (tmp_path / f"child.{kind}").write_bytes(child())
    disk = opened(tmp_path / f"child.{kind}")
    expected = bytearray(PLAIN)
    expected[MIB + 512 : MIB + 1536] = NEW + NEW
    assert disk.size == SIZE
    assert disk.read_at(0, SIZE) == expected
    assert disk.read_at(MIB + 500, 20) == expected[MIB + 500 : MIB + 520]
    assert disk.read_at(MIB + 1530, 20) == expected[MIB + 1530 : MIB + 1550]


def test_a_parent_that_is_not_beside_it_is_said(case, tmp_path):
    kind, name, parent, child = case
    (tmp_path / "above").mkdir()
    (tmp_path / name).write_bytes(parent())  # one folder up: not read, whatever the child says
    (tmp_path / f"above/child.{kind}").write_bytes(child(f"..\\{name}"))
    with pytest.raises(ParseError, match="not beside it") as caught:
        opened(tmp_path / f"above/child.{kind}")
    assert caught.value.code == "image.incomplete"


def test_another_disk_of_that_name_is_no_parent(case, tmp_path):
    kind, name, parent, child = case
    (tmp_path / name).write_bytes(parent())
    (tmp_path / f"child.{kind}").write_bytes(child(linked=CHILD_ID))
    with pytest.raises(ParseError, match="not its parent"):
        opened(tmp_path / f"child.{kind}")


def test_a_disk_that_is_its_own_parent_ends(case, tmp_path):
    kind, _, _, child = case
    (tmp_path / f"child.{kind}").write_bytes(child(f"child.{kind}", CHILD_ID))
    with pytest.raises(ParseError, match=r"depth|budget"):
        opened(tmp_path / f"child.{kind}")
