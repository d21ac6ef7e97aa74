"""exFAT: made by its own mkfs, filled here by the specification, and found without fault by its own fsck."""

from __future__ import annotations

import gzip
import os
import shutil
import struct
import subprocess
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.images.exfat import ExfatTree
from hinomi.evidence.images.inner import InnerImages
from hinomi.evidence.images.view import ImageView
from hinomi.evidence.sources.image import Surroundings, inner_images, open_image
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import File

BIG = b"".join(b"line %d\n" % n for n in range(9000))
END = 0xFFFFFFFF
WHEN = (2021 - 1980) << 25 | 3 << 21 | 4 << 16 | 20 << 11 | 2 << 5 | 15  # 2021-03-04 20:02:30
TOKYO = 0x80 | 36  # quarters of an hour


def tool(name):
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not here")
    return found


def checked(entries, skipped):
    value = 0
    for at, byte in enumerate(entries):
        if at not in skipped:
            value = ((value & 1) << 15 | value >> 1) + byte & 0xFFFF
    return value


def entry_set(name, attributes, start, size, *, valid=None, contiguous=False):
    """A file's entries as section 7.4, 7.6 and 7.7 of the specification have them."""
    units = name.encode("utf-16-le")
    parts = [units[n : n + 30].ljust(30, b"\0") for n in range(0, len(units), 30)]
    head = struct.pack("<BBHHHIIIBBBBB7x", 0x85, 1 + len(parts), 0, attributes, 0, WHEN, WHEN, WHEN, 0, 50,
                       TOKYO, TOKYO, TOKYO)  # fmt: skip
    flags = 3 if contiguous else 1
    upper = checked(name.upper().encode("utf-16-le"), ())
    stream = struct.pack("<BBBBHHQIIQ", 0xC0, flags, 0, len(name), upper, 0, size if valid is None else valid, 0,
                         start, size)  # fmt: skip
    made = head + stream + b"".join(b"\xc1\0" + part for part in parts)
    return made[:2] + struct.pack("<H", checked(made, (2, 3))) + made[4:]


class Volume:
    """An image of mkfs.exfat, into which files are written."""

    def __init__(self, data):
        self.data = data
        self.table, _, heap, _, self.root = struct.unpack_from("<5I", data, 80)
        self.table, self.heap = self.table << data[108], heap << data[108]
        self.step = 1 << data[108] + data[109]
        at = self.place(self.root)
        while data[at] != 0x81:
            at += 32
        self.bitmap = self.place(struct.unpack_from("<I", data, at + 20)[0])
        self.entries = self.place(self.root)
        while data[self.entries]:
            self.entries += 32

    def place(self, cluster):
        return self.heap + (cluster - 2) * self.step

    def put(self, clusters, content, *, chained=True):
        for number, cluster in enumerate(clusters):
            self.data[self.bitmap + (cluster - 2) // 8] |= 1 << (cluster - 2) % 8
            part = content[number * self.step : (number + 1) * self.step]
            self.data[self.place(cluster) : self.place(cluster) + len(part)] = part
            if chained:
                after = clusters[number + 1] if number + 1 < len(clusters) else END
                struct.pack_into("<I", self.data, self.table + 4 * cluster, after)

    def enter(self, entries):
        self.data[self.entries : self.entries + len(entries)] = entries
        self.entries += len(entries)


def stick(path):
    """Make a volume with files of every kind at `path`."""
    with path.open("wb") as file:
        file.truncate(4 << 20)
    subprocess.run([tool("mkfs.exfat"), "-c", "4K", path], check=True, capture_output=True, timeout=1800)
    volume = Volume(bytearray(path.read_bytes()))
    step = volume.step
    spread = list(range(300, 300 + 2 * -(-len(BIG) // step), 2))[::-1]  # backwards, with gaps
    volume.put(spread, BIG)
    volume.put(list(range(100, 100 + -(-len(BIG) // step))), BIG, chained=False)
    volume.put([200], entry_set("火の見.sh", 0x20, 201, 15))
    volume.put([201], b"#!/bin/sh\n:\n: \n")
    volume.put([202, 203], b"written")
    volume.enter(entry_set("a name of more than fifteen letters.log", 0x20, spread[0], len(BIG)))
    volume.enter(entry_set("whole", 0x20, 100, len(BIG), contiguous=True))
    volume.enter(entry_set("folder", 0x10, 200, step))
    volume.enter(entry_set("grown", 0x20, 202, 5000, valid=7))
    volume.enter(entry_set("empty", 0x20, 0, 0))
    gone = bytearray(entry_set("gone", 0x20, 0, 0))
    gone[0], gone[32], gone[64] = 0x05, 0x40, 0x41
    volume.enter(gone)
    path.write_bytes(volume.data)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("exfat") / "stick.img"
    stick(path)
    return path


def in_a_partition(data):
    """A disk as sticks are sold: one partition of type 7 from the second megabyte on."""
    table = bytearray(512)
    table[446:462] = struct.pack("<B3sB3sII", 0, b"\0\2\0", 7, b"\xff\xff\xff", 2048, len(data) // 512)
    table[510:] = b"\x55\xaa"
    return bytes(table).ljust(1 << 20, b"\0") + data


@pytest.mark.parametrize("packed", [in_a_partition, gzip.compress, lambda data: gzip.compress(in_a_partition(data))])
def test_it_is_read_within_what_holds_it(made, tmp_path, packed):
    (tmp_path / "disk").write_bytes(packed(made.read_bytes()))
    assert open_image(tmp_path / "disk").target.view.read(b"/whole", 1 << 20) == BIG


def test_it_is_found_in_another_image(made, tmp_path):
    with tarfile.open(tmp_path / "outer.tar", "w") as outer:
        outer.add(made, "srv/stick.img")
    image = open_image(tmp_path / "outer.tar")
    noted, coverage = InnerImages(), Coverage()
    size = made.stat().st_size
    noted.take(File(path="/srv/stick.img", path_raw=b"/srv/stick.img", kind="file", size=size, mode=0o644, uid=0, gid=0,
                    inode=1, links=1, mtime=0.0, ctime=0.0, sha256="", content_type="application/octet-stream"))  # fmt: skip
    (inner,) = inner_images(Surroundings.of_image(image), noted, coverage, 9)
    assert inner.target.view.read(b"/whole", 1 << 20) == BIG


def test_its_own_checker_finds_no_fault(made):
    done = subprocess.run([tool("fsck.exfat"), "-n", made], capture_output=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_names_contents_and_times(made):
    view = open_image(made).target.view
    assert view.listdir(b"/") == sorted(
        [b"a name of more than fifteen letters.log", b"empty", b"folder", b"grown", b"whole"]
    )
    assert view.read(b"/a name of more than fifteen letters.log", 1 << 20) == BIG
    assert view.read(b"/whole", 1 << 20) == BIG
    assert view.read("/folder/火の見.sh".encode(), 99) == b"#!/bin/sh\n:\n: \n"
    assert view.read(b"/grown", 9999) == b"written".ljust(5000, b"\0")
    assert view.read(b"/empty", 9) == b""
    entry = view.entry(b"/whole")
    assert (entry.mtime, entry.size) == (1614855750.5, len(BIG))  # 11:02:30.5 UTC


def test_a_walk_misses_nothing(made):
    coverage = Coverage()
    image = open_image(made)
    assert len(list(image.target.view.walk(coverage))) == 7
    assert (coverage.misses, image.tree.notes.missed, image.tree.kind) == ([], [], "exfat")


def damaged(made, old, new):
    data = made.read_bytes()
    assert old in data
    return ImageView(ExfatTree(BytesSource(data.replace(old, new))))


def test_a_chain_that_loops_is_damage_of_that_file(made):
    volume = Volume(bytearray(made.read_bytes()))
    first = 300 + 2 * -(-len(BIG) // volume.step) - 2
    struct.pack_into("<I", volume.data, volume.table + 4 * (first - 2), first)
    view = ImageView(ExfatTree(BytesSource(bytes(volume.data))))
    with pytest.raises(OSError, match="chain"):
        view.read(b"/a name of more than fifteen letters.log", 1 << 20)
    assert view.read(b"/whole", 1 << 20) == BIG


def test_a_chain_that_ends_early_is_damage_of_that_file(made):
    volume = Volume(bytearray(made.read_bytes()))
    first = 300 + 2 * -(-len(BIG) // volume.step) - 2
    struct.pack_into("<I", volume.data, volume.table + 4 * first, END)
    with pytest.raises(OSError, match="ends early"):
        ImageView(ExfatTree(BytesSource(bytes(volume.data)))).read(b"/a name of more than fifteen letters.log", 1 << 20)


def test_a_folder_inside_itself_is_walked_once(made):
    view = damaged(made, entry_set("火の見.sh", 0x20, 201, 15), entry_set("火の見.sh", 0x10, 200, 4096))
    coverage = Coverage()
    assert len(list(view.walk(coverage))) == 7
    assert [miss.reason for miss in coverage.misses] == ["loop"]


def test_entries_with_a_wrong_check_sum_are_said_and_read(made):
    good = entry_set("whole", 0x20, 100, len(BIG), contiguous=True)
    data = made.read_bytes().replace(good, good[:2] + b"\0\0" + good[4:])
    tree = ExfatTree(BytesSource(data))
    assert ImageView(tree).read(b"/whole", 1 << 20) == BIG
    assert tree.notes.missed == [("whole", "damaged", "checksum of a directory entry")]


def test_a_boot_sector_without_sense(made):
    data = bytearray(made.read_bytes())
    data[108] = 40
    with pytest.raises(ParseError):
        ExfatTree(BytesSource(bytes(data)))


@settings(max_examples=60, deadline=None)
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=30))
def test_flipped_bytes_are_damage_and_never_a_crash(made, places):
    volume = Volume(bytearray(made.read_bytes()))
    begin, end = volume.place(volume.root), volume.place(volume.root) + 1024
    areas = [(80, 112), (begin, end), (volume.table, volume.table + 4000), (volume.place(200), volume.place(200) + 128)]
    for number, (share, byte) in enumerate(places):
        low, high = areas[number % len(areas)]
        volume.data[low + int(share * (high - low - 1))] = byte
    try:
        view = ImageView(ExfatTree(BytesSource(bytes(volume.data))))
    except ParseError:
        return
    for entry in view.walk(Coverage()):
        if entry.kind == "file":
            try:
                view.read(entry.path, 1 << 16)
            except OSError:
                continue
