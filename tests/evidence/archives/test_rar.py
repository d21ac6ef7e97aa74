"""RAR: every member is told, stored ones are read, and what cannot be read is said with its reason."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives import libarchive
from hinomi.evidence.archives.rar import rar_entries, read_rar
from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.archives.streams import UnsupportedError
from hinomi.evidence.confinement import confine
from hinomi.model.errors import ParseError

# From the tests of the rarfile package (ISC licence, Marko Kreen): two packed members of 2,048 bytes in a solid archive.
SOLID_5 = """
UmFyIRoHAQAJ78hvCwEFBwQGAQGAgIAA3vVwchwCAroABIAQtoMCoua3xYAbAQpzdGVzdDEudHh0waw3REQj+iP2l/1iU1G+TJGBQQKMwQN5XL
9Ho6otoDaT3aBYAEACANRQBHb2xH8y6p8ypcTM14PfABDoLYkcAgKNAASAELaDAqLmt8XAGwEKc3Rlc3QyLnR4dEUVCmABAAgD37f79vwdd1ZR
AwUEAA==
"""
SOLID_4 = """
UmFyIRoHADvQcwgADQAAAAAAAAArNHSAkCwAXAAAAAAIAAADoua3xbBmzD4dMwoApIEAAHN0ZXN0MS50eHQAwBEMzP6MnrD+MYGrrLG7QHeoCm
TWSzeDwQe8AeCFku77th0ACCAACIjpeAzSDAdhOkF4S7Nun1IK2sonQLrnC2SKYnH7uACRnlAv2FX/+sZY6+vE14h+VJaHH03s2RZ0kJAsAA4A
AAAACAAAA6Lmt8WwZsw+HTMKAKSBAABzdGVzdDIudHh0AMCxIACIB+vyCmn6/JTe0MQ9ewBABwA=
"""
PACKED_CRC = 0xC5B7E6A2  # as both archives say of each member
NAMES = st.text(st.characters(exclude_characters="\0\\", exclude_categories=["Cs"]), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def rar(replicas):
    return replicas("rar")


@pytest.fixture(params=["rar_4", "rar_5"])
def writer(rar, request):
    return getattr(rar, request.param)


@given(members=st.dictionaries(NAMES, st.binary(max_size=300), max_size=6))
def test_stored_members_come_back(rar, members):
    for write in (rar.rar_4, rar.rar_5):
        found = {m.name.decode(): b"".join(m.stream.chunks()) for m in read_rar(BytesSource(write(members)))}
        assert found == members


def test_members_are_told_with_size_and_time(rar):
    (folder, entry) = rar_entries(BytesSource(rar.rar_5({"a/b": b"x" * 9}, method=3, size=70)))
    assert folder.is_folder and folder.name == b"dir"
    assert entry[:3] == (b"a/b", 70, 9) and entry.method == 3 and entry.mtime == 1638316800
    (_, entry) = rar_entries(BytesSource(rar.rar_4({"a\\b": b"x" * 9}, method=5, size=70)))
    assert entry[:3] == (b"a/b", 70, 9) and entry.method == 5 and entry.mtime == 0x538A0000


@given(name=st.binary(min_size=1, max_size=60))
def test_any_packed_name_is_a_name(rar, name):
    (entry,) = rar_entries(BytesSource(rar.MARK_4 + rar.file_4(name, b"x", flags=0x200) + rar.block_4(0x7B, 0, b"")))
    assert len(entry.name.decode(errors="replace")) <= len(name)


def test_unicode_names_of_version_4(rar):
    name = "日本.jar"
    high = 0x65  # of 日; 本 (U+672C) stands with both its bytes, the rest as single ones
    packed = b"__.jar\0" + bytes([high, 0b01_10_00_00, 0xE5, 0x2C, 0x67, *b".j", 0b00_00_00_00, *b"ar"])
    entry = next(e for e in rar_entries(BytesSource(rar.MARK_4 + rar.file_4(packed, b"x", flags=0x200))) if e)
    assert entry.name.decode() == name


def test_what_is_packed_encrypted_or_split_is_said_and_its_neighbours_are_read(rar, java, libraries):
    jar = java.jar(java.core_members("open"))
    stored = rar.file_5(b"core", jar)
    others = (
        rar.file_5(b"p", b"x" * 99, method=3)
        + rar.file_5(b"e", b"x" * 99, encrypted=True)
        + rar.file_5(b"s", b"x" * 99, flags=0x10)
    )
    rows, coverage = libraries.scan(rar.MARK_5 + rar.block_5(1, 0, b"\0") + others + stored + rar.block_5(5, 0, b"\0"))
    assert [(row.state, row.path) for row in rows] == [("vulnerable", "/srv/app » core")]
    assert sorted((m.reason, m.detail) for m in coverage.misses) == [
        ("encrypted", "e"),
        ("unsupported", "2 members, such as packed RAR member (libarchive is not here): p"),
    ]
    old = (
        rar.MARK_4
        + rar.block_4(0x73, 0, bytes(6))
        + rar.file_4(b"p", b"x" * 99, method=3)
        + rar.file_4(b"e", b"x" * 99, flags=4)
    )
    rows, coverage = libraries.scan(old + rar.file_4(b"core", jar) + rar.block_4(0x7B, 0, b""))
    assert [row.state for row in rows] == ["vulnerable"]
    assert sorted((m.reason, m.detail) for m in coverage.misses) == [
        ("encrypted", "e"),
        ("unsupported", "packed RAR member (libarchive is not here): p"),
    ]


def test_encrypted_headers_are_said(rar, libraries):
    for data in (rar.rar_4({"a": b"x"}, archive_flags=0x80), rar.MARK_5 + rar.block_5(4, 0, bytes(20))):
        rows, coverage = libraries.scan(data)
        assert rows == [] and libraries.reasons(coverage) == {"encrypted"}


def test_cut_and_damaged_archives_keep_what_was_read(writer, java, libraries):
    jar = java.jar(java.core_members("open"))
    data = writer({"core": jar, "later": b"x" * 5000})
    rows, coverage = libraries.scan(data[:-4000])
    assert [row.state for row in rows] == ["vulnerable"] and libraries.reasons(coverage) == {"truncated"}
    at = data.rindex(b"later")
    rows, coverage = libraries.scan(data[:at] + b"L" + data[at + 1 :])
    assert [row.state for row in rows] == ["vulnerable"] and libraries.reasons(coverage) == {"damaged"}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_flipped_bytes_are_errors_of_ours(rar, data):
    write = data.draw(st.sampled_from([rar.rar_4, rar.rar_5]))
    whole = bytearray(write({"one": b"1" * 40, "two": b"2" * 40}))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        members = list(read_rar(BytesSource(bytes(whole))))
    except ParseError:
        return
    for member in members:
        try:
            assert len(b"".join(member.stream.chunks())) <= len(whole)
        except ParseError as error:
            assert isinstance(error, UnsupportedError) or error.code == "archive.encrypted"


def in_confined(job):
    """Return what `job` gives in a process that has given up its rights, where libarchive may be loaded."""
    out, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            confine()
            libarchive.library.cache_clear()
            os.write(end, json.dumps(job()).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(end)
    with os.fdopen(out, "rb") as file:
        data = file.read()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return json.loads(data)


def contents(data):
    """Return (name, checksum of the content or the error's code) of every member."""
    found = []
    for member in read_rar(BytesSource(data)):
        try:
            found.append([member.name.decode(), zlib.crc32(b"".join(member.stream.chunks()))])
        except ParseError as error:
            found.append([member.name.decode(), error.code])
    return found


@pytest.fixture
def installed():
    try:
        ctypes.CDLL(libarchive.NAME)
    except OSError:
        pytest.skip(f"{libarchive.NAME} is not here")


def test_packed_members_are_unpacked_in_a_confined_process(installed):
    data = base64.b64decode(SOLID_5)
    assert in_confined(lambda: contents(data)) == [["stest1.txt", PACKED_CRC], ["stest2.txt", PACKED_CRC]]
    assert [code for _, code in contents(data)] == ["archive.unsupported"] * 2  # not where harm could be done


def test_what_the_library_cannot_unpack_is_said_and_the_rest_is_read(installed):
    found = in_confined(lambda: contents(base64.b64decode(SOLID_4)))
    assert found == [["stest1.txt", PACKED_CRC], ["stest2.txt", "archive.unsupported"]]


def test_one_member_alone_is_unpacked_from_a_solid_archive(installed):
    def last():
        *_, member = read_rar(BytesSource(base64.b64decode(SOLID_5)))
        return zlib.crc32(b"".join(member.stream.chunks()))

    assert in_confined(last) == PACKED_CRC


def test_damaged_packed_data_is_an_error_of_ours(installed):
    whole = base64.b64decode(SOLID_5)

    def flipped():
        for at in range(60, len(whole)):
            contents_of = bytearray(whole)
            contents_of[at] ^= 0x41
            try:
                contents(bytes(contents_of))
            except ParseError:
                continue
        return "done"

    assert in_confined(flipped) == "done"


def test_times_modes_and_links_are_told(rar):
    link = rar.number(1 + 1 + 1 + 1 + 6) + rar.number(5) + rar.number(1) + rar.number(0) + rar.number(6) + b"target"
    fields = rar.number(4) + rar.number(0) + rar.number(0o120777) + bytes(4) + rar.number(0) + rar.number(1)
    way = rar.block_5(2, 0, fields + rar.number(3) + b"way", link)
    data = rar.MARK_5 + rar.block_5(1, 0, rar.number(0)) + way + rar.file_5(b"tool", b"x") + rar.block_5(5, 0, b"\0")
    way, tool = read_rar(BytesSource(data))
    assert (way.mode, way.link) == (0o120777, b"target")
    assert (tool.mode, tool.mtime, tool.link) == (0o644, 1638316800, None)
