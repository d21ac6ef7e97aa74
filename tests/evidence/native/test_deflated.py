"""The beginning of deflate data is what zlib makes of it, or it is left to zlib."""

from __future__ import annotations

import random
import shutil
import subprocess
import sysconfig
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence import native
from hinomi.evidence.archives.inflated import before_damage

HERE = Path(__file__).parent
SLACK = 259  # two literals and the longest match
STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE)


@pytest.fixture(scope="module")
def beginning():
    module = native.compiled("classes")
    if module is None:
        pytest.skip("the compiled core is not built here")
    return module.beginning


def deflated(data, level=6, strategy=0, pieces=1):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    size = max(1, len(data) // pieces)
    parts = [
        packer.compress(data[at : at + size]) + packer.flush(zlib.Z_FULL_FLUSH) for at in range(0, len(data), size)
    ]
    return b"".join(parts) + packer.flush()


texts = st.one_of(
    st.binary(max_size=5000),
    st.text("abcdefgh/;()", max_size=3000).map(str.encode),
    st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 400)).map(lambda pair: pair[0] * pair[1]),
)


@settings(deadline=None)
@given(data=texts, level=st.integers(0, 9), strategy=st.sampled_from(STRATEGIES), draw=st.data())
def test_sound_data_is_unpacked_as_far_as_is_wanted(beginning, data, level, strategy, draw):
    wanted, step = draw.draw(st.integers(0, len(data) + 9)), draw.draw(st.integers(1, 2000))
    found = beginning(deflated(data, level, strategy, draw.draw(st.integers(1, 4))), wanted, step)
    assert found is not None and data.startswith(found)
    assert min(wanted, len(data)) <= len(found) <= wanted + SLACK


@settings(deadline=None)
@given(data=texts, level=st.integers(0, 9), strategy=st.sampled_from(STRATEGIES), seed=st.integers(0, 1 << 32))
def test_damaged_data_gives_what_zlib_gives_or_nothing(beginning, data, level, strategy, seed):
    chance, packed = random.Random(seed), bytearray(deflated(data, level, strategy))
    for _ in range(chance.randint(1, 3)):
        packed[chance.randrange(len(packed))] = chance.randrange(256)
    cut = bytes(packed[: chance.choice([len(packed), chance.randint(0, len(packed))])])
    found = beginning(cut, chance.randint(0, 9000), chance.randint(1, 2000))
    assert found is None or before_damage(cut, len(found)) == found


@settings(deadline=None)
@given(packed=st.binary(max_size=300))
def test_any_bytes_give_what_zlib_gives_or_nothing(beginning, packed):
    found = beginning(packed, 500, 500)
    assert found is None or before_damage(packed, len(found)) == found


def bits(*fields):
    """Return bytes of (value, number of bits), each from its lowest bit."""
    value = at = 0
    for number, size in fields:
        value |= number << at
        at += size
    return value.to_bytes((at + 7) // 8, "little")


def word(text):
    """Return a Huffman word, which comes from its highest bit."""
    return int(text[::-1], 2), len(text)


FIXED, DYNAMIC, END = [(1, 1), (1, 2)], [(1, 1), (2, 2)], word("0000000")
LITERAL_A = word("10010001")  # of the fixed code: 48 + 97


def test_blocks_by_hand(beginning):
    match = [*FIXED, LITERAL_A, word("0000001"), word("00000"), END]  # one letter, then three copies of it
    assert beginning(bits(*match), 9, 9) == b"aaaa"
    assert beginning(bits(*FIXED, END), 9, 9) == b""
    assert beginning(bits((1, 1), (0, 2), (0, 5), (3, 16), (0xFFFC, 16)) + b"abc", 9, 1) == b"abc"
    empty = bits((0, 1), (0, 2), (0, 5), (0, 16), (0xFFFF, 16))
    assert beginning(empty * 300 + bits(*match), 9, 9) == b"aaaa"


@pytest.mark.parametrize(
    "packed",
    [
        bits((1, 1), (3, 2)),  # a kind of block that does not exist
        bits((1, 1), (0, 2), (0, 5), (3, 16), (0xFFFD, 16)) + b"abc",  # a size that does not fit its check
        bits((1, 1), (0, 2), (0, 5), (4, 16), (0xFFFB, 16)) + b"abc",  # ... that more would follow
        bits(*FIXED, LITERAL_A, word("0000001"), word("00001"), END),  # from before the beginning
        bits(*FIXED, LITERAL_A, word("0000001"), word("11110"), END),  # a distance that does not exist
        bits(*FIXED, LITERAL_A, word("11000110"), word("00000"), END),  # a length that does not exist
        bits(*FIXED, LITERAL_A),  # no end
        bits(*DYNAMIC, (30, 5), (0, 5), (0, 4)) + bytes(99),  # too many literals
        bits(*DYNAMIC, (0, 5), (30, 5), (0, 4)) + bytes(99),  # too many distances
        bits(*DYNAMIC, (0, 5), (0, 5), (0, 4)) + bytes(99),  # no code for the lengths
        bits(*DYNAMIC, (0, 5), (0, 5), (15, 4), *[(1, 3)] * 19) + bytes(99),  # too many words of one bit
        b"",
    ],
)
def test_what_is_not_as_it_should_be_is_left_to_zlib(beginning, packed):
    assert beginning(packed, 9, 9) is None


def test_one_distance_alone_is_a_code(beginning):
    """As few packers write it: a code of a single word, which is not complete (RFC 1951, 3.2.7)."""
    lengths = {18: 2, 1: 2, 2: 2, 0: 2}  # words 00: 0, 01: 1, 10: 2, 11: 18
    order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1]
    head = [*DYNAMIC, (1, 5), (0, 5), (len(order) - 4, 4), *[(lengths.get(symbol, 0), 3) for symbol in order]]
    zeros = [word("11"), (97 - 11, 7), word("01"), word("11"), (138 - 11, 7), word("11"), (20 - 11, 7)]
    codes = [*zeros, word("10"), word("10"), word("01")]  # 97: one bit; 256 and 257: two; one distance: one
    packed = bits(*head, *codes, word("0"), word("11"), word("0"), word("10"))
    assert zlib.decompress(packed, -15) == b"aaaa"
    assert beginning(packed, 9, 9) == b"aaaa"


def test_arguments_that_make_no_sense_give_nothing(beginning):
    packed = deflated(b"text")
    assert [beginning(packed, *rest) for rest in ((-1, 9), (9, 0), (9, -1), (1 << 40, 9))] == [None] * 4


def test_damage_at_random_under_sanitizers(tmp_path):
    compiler = shutil.which("gcc") or shutil.which("clang")
    include = Path(sysconfig.get_path("include"))
    if compiler is None or not (include / "Python.h").exists():
        pytest.skip("no C compiler or no Python.h")
    program, sources = tmp_path / "check", Path(native.__file__).parent
    flags = ["-std=gnu11", "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-static-libasan"]
    command = [compiler, *flags, "-I", str(include), "-I", str(sources), "-o", str(program), "deflated_check.c", "-lz"]
    built = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if built.returncode != 0 and "deflated" not in built.stderr:
        pytest.skip(f"the compiler has no sanitizers or no zlib.h: {built.stderr[-200:]}")
    assert built.returncode == 0, built.stderr
    done = subprocess.run([program, "4000", "7"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert int(done.stdout) > 1000
