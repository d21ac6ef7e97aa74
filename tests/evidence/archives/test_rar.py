"""RAR: every member is told, stored ones are read, and what cannot be read is said with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives.rar import rar_entries, read_rar
from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.archives.streams import UnsupportedError
from hinomi.model.errors import ParseError

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
        ("unsupported", "2 members, such as RAR method 3: p"),
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
        ("unsupported", "RAR method 3: p"),
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
