"""Deflate64 and LZ4 without libraries: plain deflate data without far copies is deflate64 data too."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives.inflate64 import inflate64
from hinomi.evidence.archives.lz4 import read_lz4
from hinomi.evidence.archives.source import BytesSource, stream_of
from hinomi.model.errors import ParseError


def _words(seed, count):
    generator = random.Random(seed)
    return b" ".join(bytes(generator.choices(b"abcdefgh", k=generator.randint(2, 9))) for _ in range(count))


@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY])
def test_deflate_data_is_read(level, strategy):
    plain = _words(1, 30_000)
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    assert b"".join(inflate64(packer.compress(plain) + packer.flush())) == plain


def test_longest_match_has_sixteen_extra_bits():
    # fixed code: literal 'a', length code 285 with extra 65535 - 3, distance code 0 (1 back), end of block
    bits = "1" + "10" + f"{0x30 + 97:08b}" + f"{0xC0 + 285 - 280:08b}" + f"{65000:016b}"[::-1] + "00000" + "0000000"
    data = int(bits[::-1], 2).to_bytes(len(bits) // 8 + 1, "little")
    assert b"".join(inflate64(data)) == b"a" * 65004


def test_lz4_frames(containers):
    plain = _words(2, 40_000)
    assert b"".join(read_lz4(stream_of(BytesSource(containers["lz4"](plain))))) == plain


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=120))
def test_any_bytes(data):
    for read in (
        lambda: inflate64(data),
        lambda: read_lz4(stream_of(BytesSource(b"\x04\x22\x4d\x18\x60\x40\x82" + data))),
    ):
        try:
            for index, _ in enumerate(read()):
                assert index < 10_000
        except ParseError:
            continue
