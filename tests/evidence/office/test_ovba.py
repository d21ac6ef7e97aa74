import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.office.ovba import Module, decompress, encoding_of, find_source, read_dir
from hinomi.model.errors import ParseError


def test_the_specification_example_unpacks() -> None:
    # MS-OVBA 3.2.3, maximum compression
    assert decompress(bytes.fromhex("0103b002614500")) == b"a" * 73


def test_no_container_is_refused() -> None:
    with pytest.raises(ParseError):
        decompress(b"\x02abc")
    with pytest.raises(ParseError):
        decompress(b"\x01\x00\x00abc")


def test_a_damaged_chunk_keeps_what_came_before(office) -> None:
    packed = office.compress(b"Sub A()\r\nEnd Sub\r\n")
    assert decompress(packed + b"\x00\x00junk") == b"Sub A()\r\nEnd Sub\r\n"


def test_output_is_bounded(office) -> None:
    assert len(decompress(office.compress(b"a" * 100_000), limit=5000)) == 5000


def test_dir_lists_modules_in_japanese(office) -> None:
    streams = office.vba_streams({"標準モジュール": "Sub A()\r\nEnd Sub", "ThisWorkbook": ""})
    project = read_dir(decompress(streams["VBA/dir"]))
    assert project.encoding == "cp932"
    assert project.modules == (
        Module("標準モジュール", "標準モジュール", 32),
        Module("ThisWorkbook", "ThisWorkbook", 32),
    )


def test_unknown_code_page_falls_back() -> None:
    assert encoding_of(12345) == "cp1252"
    assert encoding_of(932) == "cp932"


def test_source_is_found_without_a_directory(office) -> None:
    stream = b"\x00\x01\x02" * 50 + office.compress(b'Attribute VB_Name = "M"\r\nSub A()\r\n')
    assert find_source(stream) == b'Attribute VB_Name = "M"\r\nSub A()\r\n'
    assert find_source(b"nothing here") is None


@settings(max_examples=60, derandomize=True, deadline=None)
@given(data=st.one_of(st.binary(max_size=9000), st.text("ab \r\n", max_size=9000).map(str.encode)))
def test_what_is_packed_unpacks(office, data: bytes) -> None:
    unpacked = decompress(office.compress(data))
    assert unpacked[: len(data)] == data


@settings(max_examples=200, derandomize=True, deadline=None)
@given(data=st.binary(max_size=2000))
def test_any_bytes_give_text_or_our_error(data: bytes) -> None:
    read_dir(data)
    find_source(b"\x01\x02\x03\x00Attribut" + data)
    with contextlib.suppress(ParseError):
        assert len(decompress(b"\x01" + data)) <= 16 << 20
