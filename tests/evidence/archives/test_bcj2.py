"""BCJ2 as 7-Zip uses it for programs: four streams become one again."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives.bcj2 import bcj2
from hinomi.evidence.archives.sevenzip import read_7z
from hinomi.evidence.archives.source import BytesSource, Stream
from hinomi.model.errors import ParseError


class Range:
    """The range encoder of the LZMA SDK."""

    def __init__(self):
        self.low, self.range, self.cache, self.waiting, self.out = 0, 0xFFFFFFFF, 0, 1, bytearray()
        self.odds = [1024] * 258

    def put(self, place, bit):
        odds = self.odds[place]
        bound = (self.range >> 11) * odds
        if bit:
            self.low, self.range = self.low + bound, self.range - bound
            self.odds[place] -= odds >> 5
        else:
            self.range = bound
            self.odds[place] += (2048 - odds) >> 5
        while self.range < 1 << 24:
            self.range = self.range << 8 & 0xFFFFFFFF
            self.shift()

    def shift(self):
        if self.low < 0xFF000000 or self.low >> 32:
            carry = self.low >> 32
            self.out += bytes([self.cache + carry & 0xFF]) + bytes([0xFF + carry & 0xFF]) * (self.waiting - 1)
            self.waiting, self.cache = 0, self.low >> 24 & 0xFF
        self.waiting += 1
        self.low = (self.low & 0xFFFFFF) << 8

    def end(self):
        for _ in range(5):
            self.shift()
        return bytes(self.out)


def packed(data, chance):
    """Return the four streams of `data`; every other branch or so is moved."""
    main, calls, jumps, bits, before, at = bytearray(), bytearray(), bytearray(), Range(), 0, 0
    while at < len(data):
        byte = data[at]
        main.append(byte)
        at += 1
        if at < len(data) and (byte & 0xFE == 0xE8 or (before == 0x0F and byte & 0xF0 == 0x80)):
            move = at + 4 <= len(data) and chance.random() < 0.6
            bits.put(before if byte == 0xE8 else 256 if byte == 0xE9 else 257, move)
            if move:
                target = int.from_bytes(data[at : at + 4], "little") + at + 4 & 0xFFFFFFFF
                (calls if byte == 0xE8 else jumps).extend(target.to_bytes(4, "big"))
                at += 4
                byte = data[at - 1]
        before = byte
    return bytes(main), bytes(calls), bytes(jumps), bits.end()


def unpacked(streams, size, step=1 << 16):
    pieces = [Stream(iter([s[n : n + step] for n in range(0, len(s), step)])) for s in streams]
    return b"".join(bcj2(*pieces, size))


CODE = st.lists(
    st.one_of(
        st.sampled_from([b"\xe8", b"\xe9", b"\x0f\x84", b"\x0f", b"\x80", b"\x0f\x0f\x8f"]), st.binary(max_size=9)
    ),
    max_size=60,
).map(b"".join)


@settings(deadline=None)
@given(CODE, st.integers(0, 1 << 32), st.integers(1, 9))
def test_code_comes_back(data, seed, step):
    assert unpacked(packed(data, random.Random(seed)), len(data), step) == data


@settings(deadline=None)
@given(CODE.filter(len), st.integers(0, 3), st.data())
def test_damage_ends_in_an_error_of_ours_or_the_told_size(data, which, draw):
    streams = list(packed(data, random.Random(1)))
    cut = draw.draw(st.integers(0, len(streams[which])))
    streams[which] = streams[which][:cut]
    try:
        assert len(unpacked(streams, len(data))) == len(data)
    except ParseError as error:
        assert error.code == "archive.truncated"


def archive(data, bonds=b"", first=b"\x14\x03\x03\x01\x1b\x04\x01"):
    """Return a 7z archive of one file in a folder of one BCJ2 coder over four plain streams."""
    streams = packed(data, random.Random(2))
    sizes = b"".join(b"\xe0" + struct.pack("<I", len(s))[:3] for s in streams)
    folder = b"\x01" + first + bonds + bytes(range(4))
    plain = b"\xe0" + struct.pack("<I", len(data))[:3]
    name = "a.exe\0".encode("utf-16-le")
    files = b"\x05\x01\x11" + bytes([len(name) + 1]) + b"\0" + name + b"\0"
    header = (
        b"\x01\x04\x06\x00\x04\x09" + sizes + b"\0\x07\x0b\x01\x00" + folder + b"\x0c" + plain + b"\0\0" + files + b"\0"
    )
    start = struct.pack("<QQI", sum(map(len, streams)), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + b"".join(streams) + header


def contents(data):
    return {member.name: b"".join(member.stream.chunks()) for member in read_7z(BytesSource(data))}


def program(size, seed=4):
    chance = random.Random(seed)
    return b"".join(
        chance.choice([b"\xe8", b"\xe9", b"\x0f\x85", b"\x90\xc3"]) + chance.randbytes(4) for _ in range(size // 5)
    )


def test_a_folder_of_four_streams_is_read():
    data = program(3000)
    assert contents(archive(data)) == {b"a.exe": data}


def test_a_jar_packed_so_is_looked_into(java, libraries):
    assert libraries.states(archive(java.jar(java.core_members("open")))) == ["vulnerable"]


def test_coders_in_a_loop_are_refused():
    data = bytearray(archive(program(300)))
    at = data.index(b"\x14\x03\x03\x01\x1b\x04\x01")
    loop = b"\x02\x14\x03\x03\x01\x1b\x04\x01\x01\x00" + b"\x00\x00" + bytes([1, 2, 3, 4])
    header = bytes(data[: at - 1]) + loop + bytes(data[at + 11 :])
    start = bytearray(header)
    start[20:28] = struct.pack("<Q", len(header) - 32 - struct.unpack("<Q", data[12:20])[0])
    with pytest.raises(ParseError):
        for member in read_7z(BytesSource(bytes(start))):
            list(member.stream.chunks())


@pytest.mark.parametrize(
    "methods",
    [["-mf=BCJ2"], ["-mf=BCJ"], ["-mf=Delta:4"], ["-mf=ARM"], ["-mf=PPC"], ["-mf=SPARC"], ["-mf=ARMT"], ["-mf=IA64"]],
)
def test_archives_of_7_zip(tmp_path, methods):
    tool = shutil.which("7zz") or shutil.which("7z")
    if tool is None:
        pytest.skip("7-Zip is not installed")
    data = program(200_000)
    (tmp_path / "a.exe").write_bytes(data)
    subprocess.run([tool, "a", *methods, "out.7z", "a.exe"], cwd=tmp_path, check=True, capture_output=True)
    assert contents((tmp_path / "out.7z").read_bytes()) == {b"a.exe": data}
