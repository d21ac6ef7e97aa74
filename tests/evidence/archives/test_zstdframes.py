"""What follows a compressed stream is not swallowed: an initial RAM disk goes on after it."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.archives.source import BytesSource, stream_of
from hinomi.evidence.archives.streams import decompressed
from hinomi.evidence.images.cpio import read_cpio_tree
from hinomi.model.errors import ParseError

from .conftest import cpio_of

PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("padding", [0, 4, 70_000])
def test_an_archive_after_a_compressed_one_is_read(kind: str, padding: int) -> None:
    first = PACKERS[kind](cpio_of({"bin/sh": b"x" * 300_000}))
    image = first + bytes(padding) + cpio_of({"scripts/init-top/net": b"#!/bin/sh\n"})
    tree = read_cpio_tree(BytesSource(image), 1 << 30)
    assert tree.find(b"bin/sh") is not None
    assert tree.find(b"scripts/init-top/net") is not None
    assert not tree.notes.missed


@pytest.mark.parametrize("kind", PACKERS)
def test_what_is_no_archive_is_said(kind: str) -> None:
    image = PACKERS[kind](cpio_of({"bin/sh": b"x"})) + b"\x7fELF and more"
    assert read_cpio_tree(BytesSource(image), 1 << 30).notes.missed


@given(
    parts=st.lists(st.binary(max_size=5000), min_size=1, max_size=4),
    checksum=st.booleans(),
    rest=st.binary(max_size=40),
)
def test_frames_end_where_they_end(parts: list[bytes], checksum: bool, rest: bytes) -> None:
    packer = zstandard.ZstdCompressor(write_checksum=checksum)
    skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    frames = skippable.join(packer.compress(part) for part in parts)
    stream = stream_of(BytesSource(frames + b"\0" + rest))
    assert b"".join(decompressed("zstd", stream).chunks()) == b"".join(parts)
    assert stream.read(1 << 16) == b"\0" + rest


@given(cut=st.integers(min_value=5, max_value=200))
def test_a_cut_frame_is_an_error(cut: int) -> None:
    frame = zstandard.ZstdCompressor(write_checksum=True).compress(bytes(range(256)) * 4)
    if cut < len(frame):
        with pytest.raises(ParseError):
            b"".join(decompressed("zstd", stream_of(BytesSource(frame[:cut]))).chunks())
