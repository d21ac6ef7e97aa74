"""Deflate data unpacked in one go: the same as zlib gives, or nothing."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives.inflated import another_member, before_damage, gunzipped_whole, inflated_whole
from hinomi.evidence.archives.source import IN_MEMORY, BytesSource, stream_of
from hinomi.evidence.archives.streams import decompressed

MOST = 100_000


def deflated(data, level=6, strategy=0):
    packer = zlib.compressobj(level, 8, -15, 9, strategy)
    return packer.compress(data) + packer.flush()


def by_zlib(packed):
    """Return the plain bytes, None for damaged data and data that ends early."""
    decoder = zlib.decompressobj(-15)
    try:
        plain = decoder.decompress(packed, MOST)
    except zlib.error:
        return None
    return plain if decoder.eof else None


def content(source):
    return None if source is None else bytes(source.data)


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(st.binary(min_size=1, max_size=3000), st.text("abcdef \n", min_size=1, max_size=4000).map(str.encode)),
    st.integers(0, 5000), st.sampled_from([0, 1, 6, 9]), st.sampled_from([0, 2, 3, 4]), st.integers(0, 1 << 32),
)  # fmt: skip
def test_what_zlib_reads_is_read_and_cut_data_is_not(data, repeats, level, strategy, seed):
    chance = random.Random(seed)
    plain = data + data[:7] * repeats
    packed = deflated(plain, level, strategy)
    cut = packed[: chance.randrange(len(packed))]
    assert content(inflated_whole(BytesSource(packed), len(plain))) == plain
    assert content(inflated_whole(BytesSource(packed + b"behind"), len(plain))) == plain
    assert inflated_whole(BytesSource(cut), len(plain)) is None
    flipped = bytearray(packed)
    flipped[chance.randrange(len(packed))] ^= 1 << chance.randrange(8)
    expected = by_zlib(bytes(flipped))
    if expected:
        assert content(inflated_whole(BytesSource(flipped), len(expected))) == expected


def test_a_whole_is_only_what_has_its_told_size():
    data = b"some plain text " * 500
    packed = BytesSource(deflated(data))
    assert content(inflated_whole(packed, len(data))) == data
    for lie in (-1, 0, 1, len(data) - 1, len(data) + 1, IN_MEMORY, IN_MEMORY + 1, (1 << 32) + len(data), 1 << 40):
        assert inflated_whole(packed, lie) is None
    assert inflated_whole(BytesSource(packed.read_at(0, packed.size - 2)), len(data)) is None
    assert inflated_whole(BytesSource(b""), len(data)) is None


@pytest.mark.parametrize("flags", [0, 4, 8, 16, 2, 30])
def test_one_gzip_member_is_unpacked_and_checked(flags):
    data = b"tar or so" * 99
    fields = [(4, b"\3\0abc"), (8, b"name\0"), (16, b"comment\0"), (2, b"xx")]
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + b"".join(field for flag, field in fields if flags & flag)
    end = zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
    whole = head + deflated(data) + end
    assert content(gunzipped_whole(BytesSource(whole))) == data
    for other in (
        whole + whole,
        whole[:-1],
        head + deflated(data) + bytes(4) + end[4:],
        whole[:-4] + bytes(4),
        head,
        b"",
    ):
        assert gunzipped_whole(BytesSource(other)) is None


def test_a_second_member_that_looks_like_the_first_is_not_passed_over():
    first = gzip.compress(b"first text")
    second = b"\x1f\x8b\x08" + bytes(7) + deflated(b"other text") + first[-8:]  # its sum and size are the first one's
    assert gunzipped_whole(BytesSource(first + second)) is None
    assert content(gunzipped_whole(BytesSource(first + b"no member" + first[-8:]))) == b"first text"


@pytest.mark.parametrize("flags", range(256))
def test_flags_tell_a_second_member_as_they_tell_zlib(flags):
    """What the quick way takes for one member must be one for the streaming way, which goes on to the next."""
    first = gzip.compress(b"first text")
    fields = b"\3\0abcname\0comment\0xx"
    file = first + b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + fields + deflated(b"other text") + first[-8:]
    streamed = b"".join(decompressed("gzip", stream_of(BytesSource(file))).chunks())
    whole = gunzipped_whole(BytesSource(file))
    assert (whole is None) == (flags < 32)
    assert whole is None or content(whole) == streamed == b"first text"


def test_what_precedes_damage_is_given():
    data = bytes(random.Random(3).choices(b"abcdefghij", k=20_000))
    packed = deflated(data)
    plain = before_damage(packed[: len(packed) // 2], MOST)
    assert 5000 < len(plain) < len(data) and data.startswith(plain)
    assert before_damage(packed, 700) == data[:700]
    assert before_damage(b"\xff\xff", 700) == b""


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.binary(max_size=70), flags=st.integers(0, 255), after=st.binary(max_size=9), cut=st.integers(0, 4))
def test_a_further_member_is_seen_wherever_it_begins(core, before, flags, after, cut):
    begin = b"\x1f\x8b\x08" + bytes([flags])
    data = before + begin[: 4 - cut] + (b"" if cut else after)
    places = [at for at in range(1, len(data)) if data.startswith(b"\x1f\x8b\x08", at)]
    expected = any(at + 3 < len(data) and data[at + 3] < 0x20 for at in places)
    assert another_member(data) == another_member(memoryview(data)) == expected
    assert another_member(memoryview(data)[:0]) is False
