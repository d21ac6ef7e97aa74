"""FAT in its three widths, written on the spot."""

from __future__ import annotations

import struct

import pytest

from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.images.opening import Allowance, open_trees
from hinomi.evidence.images.view import ImageView
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage

SECTOR = 512


def entry(name, attributes, cluster, size):
    when = (2 << 5 | 20 << 11 | 30 // 2, (2021 - 1980) << 9 | 3 << 5 | 4)
    return struct.pack("<11sBBBHHHHHHHI", name, attributes, 0, 0, 0, 0, 0, cluster >> 16, *when, cluster & 0xFFFF, size)


def long_entries(name, short):
    units = (name + "\0").encode("utf-16-le")
    units += b"\xff" * (-len(units) % 26)
    parts = [units[n : n + 26] for n in range(0, len(units), 26)]
    found = b""
    for number in range(len(parts), 0, -1):
        part = parts[number - 1]
        first = number | (0x40 if number == len(parts) else 0)
        found += bytes([first]) + part[:10] + b"\x0f\0\0" + part[10:22] + b"\0\0" + part[22:]
    return found + short


def fat(bits, clusters):
    """A root with a long name, a folder with a file of three clusters, a deleted entry."""
    data = bytes(range(256)) * 5  # 1280 bytes: clusters 4, 6, 5
    chain = {3: 0xFFFFFFFF, 4: 6, 6: 5, 5: 0xFFFFFFFF}
    root = long_entries("a longer name.conf", entry(b"ALONGE~1CON", 0x20, 7, 5))
    chain[7] = 0xFFFFFFFF
    root += b"\xe5" + entry(b"GONE    TXT", 0x20, 9, 9)[1:] + entry(b"LABEL      ", 0x08, 0, 0)
    root += entry(b"EFI        ", 0x10, 3, 0)
    folder = entry(b".          ", 0x10, 3, 0) + entry(b"BOOT    BIN", 0x20, 4, len(data))
    if bits == 32:
        chain[2] = 0xFFFFFFFF
    width = {12: 1.5, 16: 2, 32: 4}[bits]
    fat_sectors = -(-int((clusters + 2) * width) // SECTOR)
    table = 0
    for cluster, following in chain.items():
        table |= (following & ((1 << min(bits, 28)) - 1)) << int(cluster * width * 8)
    reserved, roots = (32, 0) if bits == 32 else (1, 512)
    total = reserved + fat_sectors + roots * 32 // SECTOR + clusters
    head = bytearray(SECTOR)
    head[510:] = b"\x55\xaa"
    small = bits != 32 and total < 65536
    struct.pack_into("<HBHBHHBH", head, 11, SECTOR, 1, reserved, 1, roots, total if small else 0, 0xF8,
                     0 if bits == 32 else fat_sectors)  # fmt: skip
    struct.pack_into("<I", head, 32, 0 if small else total)
    if bits == 32:
        struct.pack_into("<I", head, 36, fat_sectors)
        struct.pack_into("<I", head, 44, 2)
        head[82:90] = b"FAT32   "
    else:
        head[54:62] = f"FAT{bits}   ".encode()
    contents = {3: folder, 4: data[:512], 6: data[512:1024], 5: data[1024:], 7: b"hello"}
    if bits == 32:
        contents[2] = root
    area = b"".join(contents.get(n, b"").ljust(SECTOR, b"\0") for n in range(2, 12))
    body = bytes(head).ljust(reserved * SECTOR, b"\0") + table.to_bytes(fat_sectors * SECTOR, "little")
    return body + (root.ljust(512 * 32, b"\0") if bits != 32 else b"") + area, data


@pytest.mark.parametrize(("bits", "clusters"), [(12, 100), (16, 5000), (32, 66000)])
def test_names_chains_and_times(bits, clusters):
    image, data = fat(bits, clusters)
    view = ImageView(open_trees(BytesSource(image), Allowance(1 << 20))[0].tree)
    assert view.listdir(b"/") == [b"EFI", b"a longer name.conf"]
    assert view.read(b"/a longer name.conf", 9) == b"hello"
    assert view.read(b"/EFI/BOOT.BIN", 9999) == data
    assert view.entry(b"/EFI/BOOT.BIN").mtime == 1614888150.0


def test_a_chain_that_loops_is_damage_of_that_file():
    image, _ = fat(16, 5000)
    broken = bytearray(image)
    struct.pack_into("<H", broken, SECTOR + 2 * 5, 4)  # 4, 6, 5, 4, ...
    struct.pack_into("<I", broken, broken.find(b"BOOT    BIN") + 28, 9000)
    view = ImageView(open_trees(BytesSource(bytes(broken)), Allowance(1 << 20))[0].tree)
    with pytest.raises(OSError, match="chain"):
        view.read(b"/EFI/BOOT.BIN", 9999)


def test_a_folder_inside_itself_is_walked_once():
    image, _ = fat(16, 5000)
    looped = image.replace(entry(b"BOOT    BIN", 0x20, 4, 1280), entry(b"LOOP       ", 0x10, 3, 0))
    coverage = Coverage()
    view = ImageView(open_trees(BytesSource(looped), Allowance(1 << 20))[0].tree)
    assert len(list(view.walk(coverage))) == 4
    assert [miss.reason for miss in coverage.misses] == ["loop"]


def test_a_boot_sector_without_sense():
    image, _ = fat(16, 5000)
    with pytest.raises(ParseError):
        open_trees(BytesSource(image[:13] + b"\0" + image[14:]), Allowance(1 << 20))
