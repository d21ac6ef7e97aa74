"""XPRESS and LZX: what wimlib packs comes back, and damage is an error of ours."""

from __future__ import annotations

import hashlib
import random
import shutil
import struct
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives.lzx import lzx_block
from hinomi.evidence.archives.prefixcodes import code_table
from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.archives.xpress import xpress_block
from hinomi.evidence.images.ntfswof import WofSource
from hinomi.model.errors import ParseError

METHODS = {0: ("XPRESS", 4096), 1: ("LZX", 32768), 2: ("XPRESS", 8192), 3: ("XPRESS", 16384)}


def contents(seed):
    """Return files of many kinds: text, runs, machine code with calls, noise, mixtures, odd sizes."""
    random_ = random.Random(seed)
    words = [bytes(random_.choices(range(97, 123), k=random_.randint(2, 12))) for _ in range(400)]
    text = b" ".join(random_.choices(words, k=30_000))
    code = b"".join(
        random_.choice((b"\xe8" + struct.pack("<i", random_.randint(-9000, 9000)), random_.choice(words), b"\x90\x55"))
        for _ in range(20_000)
    )
    noise = random_.randbytes(50_001)
    return [
        text[:77_777], code, noise + text[:9000] + noise[:300], b"\0" * 100_000 + b"end", text[:4097], b"abc" * 3000,
        bytes(range(256)) * 300, code[:32_768], random_.randbytes(2) * 16_384, text[:20] + b"\xe8" * 40_000,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Return what packs several files at once: {method: [(plain, packed stream)]}."""
    tool = shutil.which("wimlib-imagex")
    if tool is None:
        pytest.skip("wimlib-imagex is not here")
    plain = [data for seed in range(3) for data in contents(seed)]
    folder = tmp_path_factory.mktemp("wim")
    (folder / "in").mkdir()
    for number, data in enumerate(plain):
        (folder / "in" / str(number)).write_bytes(data)
    found = {}
    for method, (name, chunk) in METHODS.items():
        image = folder / f"{method}.wim"
        options = [f"--compress={name}:50", f"--chunk-size={chunk}", "--threads=1", "--no-acls"]
        subprocess.run([tool, "capture", folder / "in", image, *options], check=True, capture_output=True, timeout=1800)
        found[method] = list(resources(image.read_bytes()))
    return found


def resources(wim):
    """Yield (SHA-1, plain size, packed stream) of a WIM's packed resources (its lookup table has rows of 50 bytes)."""
    size, offset = int.from_bytes(wim[48:55], "little"), int.from_bytes(wim[56:64], "little")
    for at in range(offset, offset + size, 50):
        length, flags = int.from_bytes(wim[at : at + 7], "little"), wim[at + 7]
        place, plain = struct.unpack_from("<QQ", wim, at + 8)
        if flags & 4 and not flags & 2:
            yield wim[at + 30 : at + 50], plain, wim[place : place + length]


@pytest.mark.parametrize("method", METHODS)
def test_what_wimlib_packs_comes_back(packed, method):
    count = 0
    for digest, size, stream in packed[method]:
        source = WofSource(BytesSource(stream), size, method)
        plain = b"".join(source.read_at(at, 50_000) for at in range(0, size, 50_000))
        assert hashlib.sha1(plain, usedforsecurity=False).digest() == digest
        count += 1
    assert count >= 20


@settings(max_examples=100, deadline=None)
@given(data=st.binary(min_size=0, max_size=600), size=st.integers(1, 32768))
def test_any_bytes_give_as_many_as_were_asked_for_or_an_error(data, size):
    for unpack in (xpress_block, lzx_block):
        for raw in (data, b"\x44" * 256 + data):
            try:
                assert len(unpack(raw, size)) == size
            except ParseError as error:
                assert error.code.startswith("archive.")


@settings(deadline=None)
@given(st.lists(st.integers(0, 15), max_size=40))
def test_a_code_table_has_every_code_once(lengths):
    weight = sum(1 << 15 - length for length in lengths if length)
    if weight > 1 << 15:
        with pytest.raises(ParseError):
            code_table(lengths, 15)
        return
    table = code_table(lengths, 15)
    assert len(table) == 1 << 15
    for symbol, length in enumerate(lengths):
        assert table.count(symbol << 5 | length) == (1 << 15 - length) or not length


def test_a_match_before_the_beginning_is_damage():
    lengths = bytearray(256)
    lengths[128] = 1  # symbol 256: a match one byte back
    with pytest.raises(ParseError, match="before the beginning"):
        xpress_block(bytes(lengths) + bytes(8), 10)
