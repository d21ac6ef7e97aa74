"""The compressor is the one whose bytes come out the same."""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from hinomi.evidence.archives.source import FileSource
from hinomi.evidence.images.deflate import SAMPLE, compressor_of

WORDS = [b"firmware", b"initrd", b"kernel", b"login", b"mount", b"status", b"upgrade", b"volume"]


def content(size: int) -> bytes:
    rng = random.Random(5)
    made = bytearray()
    while len(made) < size:
        made += rng.choice(WORDS) + b" %d " % rng.getrandbits(20)
    return bytes(made[:size])


def named(path: Path, stream: bytes, effort: int = 0) -> str | None:
    path.write_bytes(stream)
    with path.open("rb") as file:
        return compressor_of(FileSource(file), 0, effort)


@pytest.mark.parametrize("size", [70_000, SAMPLE + 300_000])
@pytest.mark.parametrize("level", [1, 6, 9])
def test_zlib_by_level(tmp_path: Path, size: int, level: int) -> None:
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    found = named(tmp_path / "a", deflate.compress(content(size)) + deflate.flush())
    assert found in ((f"zlib -{level}",) if size > SAMPLE else (f"zlib -{level}", f"gzip or zlib -{level}"))


@pytest.mark.skipif(not shutil.which("gzip"), reason="no gzip here")
@pytest.mark.parametrize("size", [70_000, SAMPLE + 300_000])
@pytest.mark.parametrize("level", [1, 6, 9])
def test_gzip_by_level(tmp_path: Path, size: int, level: int) -> None:
    made = subprocess.run(["gzip", "-n", f"-{level}"], input=content(size), capture_output=True, check=True).stdout
    found = named(tmp_path / "a", made[10:-8], made[8])
    assert found == (f"gzip -{level}" if size > SAMPLE else f"gzip or zlib -{level}")


def test_what_nothing_reproduces_stays_unnamed(tmp_path: Path) -> None:
    data = content(70_000)
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    mixed = deflate.compress(data[:9_000]) + deflate.flush(zlib.Z_SYNC_FLUSH) + deflate.compress(data[9_000:])
    assert named(tmp_path / "a", mixed + deflate.flush()) is None
    assert named(tmp_path / "b", b"no deflate stream at all") is None
    assert named(tmp_path / "c", b"") is None


def test_a_gzip_file_begins_where_its_header_ends(tmp_path: Path) -> None:
    from hinomi.evidence.images.packing import _gzip

    path = tmp_path / "named.gz"
    with gzip.GzipFile(str(path), "wb", compresslevel=9, mtime=5) as file:
        file.write(content(70_000))
    with path.open("rb") as file:
        facts = _gzip(FileSource(file))
    assert facts["gzip_tool"] in ("zlib -9", "gzip or zlib -9")
    assert facts["gzip_name"] == "named"
