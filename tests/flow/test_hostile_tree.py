"""One tree with everything that is meant to break a scanner: the scan ends, says what it lost, and touches nothing."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import json
import lzma
import os
import random
import socket
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import zstandard

ZEROS = bytes(1 << 20)
BOMB = 192 << 20  # bytes of zeros, in a member of a tar
HUGE = 8 << 30
MEMORY = 700 << 10  # KiB of the largest process; twice what a scan of an empty folder takes
ODD_NAMES = (b"new\nline", b"\x1b]0;title\x07esc", b"\xff\xfe.bin", b" -> a \xc2\xbb b", b"caf\xc3\xa9\xe2\x80\xae.jar")


def replica(name: str) -> ModuleType:
    path = Path(__file__).parents[1] / "replicas" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"replica_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


JAVA = replica("java")
VULNERABLE: bytes = JAVA.jar(JAVA.core_members("open"))


def tar_bomb(pack: Callable[[bytes], bytes]) -> bytes:
    """Return a packed tar whose one member is zeros: each MiB is a stream of its own, so that it is made at once."""
    info = tarfile.TarInfo("zeros")
    info.size = BOMB
    return pack(info.tobuf()) + pack(ZEROS) * (BOMB // len(ZEROS)) + pack(bytes(1024))


def zip_bomb(data: bytes) -> bytes:
    return JAVA.jar({"bomb": data, "beside.jar": VULNERABLE})  # type: ignore[no-any-return]


def nested() -> bytes:
    """Return 16^5 jars, all in one small file."""
    data = JAVA.jar({"leaf": b"x" * 1000})
    for level in range(5):
        data = JAVA.jar({f"{level}-{n}.jar": data for n in range(16)})
    return data  # type: ignore[no-any-return]


def itself() -> bytes:
    """Return a zip whose one stored member is the rest of the file, directory and all: it holds itself."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("self"), b"PK\x03\x04" + bytes(60))
    data = bytearray(out.getvalue())
    size = (len(data) - 34).to_bytes(4, "little")
    directory = data.index(b"PK\x01\x02")
    for at in (18, directory + 20):
        data[at : at + 8] = size * 2
    return bytes(data)


def overlapping() -> bytes:
    """Return a zip whose 2,000 names all stand for the same packed zeros."""
    data = JAVA.jar({"n": ZEROS * 8})
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    record, number = data[at:end], 2000
    tail = bytearray(data[end:])
    tail[8:12] = number.to_bytes(2, "little") * 2
    tail[12:16] = (len(record) * number).to_bytes(4, "little")
    return bytes(data[:at] + record * number + tail)


def build(root: Path) -> None:
    """Write the tree; sockets, pipes and devices carry the names that scanners open."""
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gz": lambda data: gzip.compress(data, 9), "bz2": bz2.compress, "xz": lambda data: lzma.compress(data, preset=0),
        "zst": lambda data: zstandard.ZstdCompressor().compress(data),
    }  # fmt: skip
    (root / "bombs").mkdir(parents=True)
    for suffix, pack in packers.items():
        bomb = tar_bomb(pack)
        (root / "bombs" / f"a.tar.{suffix}").write_bytes(bomb)
        (root / "bombs" / f"{suffix}.zip").write_bytes(zip_bomb(bomb))
    (root / "bombs" / "zeros.jar").write_bytes(zip_bomb(ZEROS * 64))
    (root / "bombs" / "nested.jar").write_bytes(nested())
    (root / "bombs" / "itself.jar").write_bytes(itself())
    (root / "bombs" / "overlap.jar").write_bytes(overlapping())
    _special(root / "special")
    _links(root, root / "links")
    for name in ODD_NAMES:
        (Path(os.fsdecode(os.fsencode(root) + b"/" + name))).write_bytes(VULNERABLE)
    _damaged(root / "damaged")


def _special(folder: Path) -> None:
    folder.mkdir()
    os.mkfifo(folder / "pipe.jar")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "s.jar"))
    if os.geteuid() == 0:
        os.mknod(folder / "zero.jar", 0o20666, os.makedev(1, 5))
        os.mknod(folder / "disk.jar", 0o60660, os.makedev(240, 0))
    with open(folder / "sparse.jar", "wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(HUGE)


def _links(root: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "outside.jar").symlink_to(root.parent / "outside" / "secret.jar")
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    (folder / "top").symlink_to("/")
    for number in range(50):
        os.link(root / "bombs" / "nested.jar", folder / f"hard{number}.jar")


def _damaged(folder: Path) -> None:
    folder.mkdir()
    chance = random.Random(5)
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w:gz") as archive:
        info = tarfile.TarInfo("lib.jar")
        info.size = len(VULNERABLE)
        archive.addfile(info, io.BytesIO(VULNERABLE))
    for kind, data in {"jar": VULNERABLE, "tgz": tarred.getvalue(), "xz": lzma.compress(VULNERABLE)}.items():
        (folder / f"cut.{kind}").write_bytes(data[: len(data) // 2])
        for number in range(8):
            flipped = bytearray(data)
            for _ in range(6):
                flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
            (folder / f"flipped{number}.{kind}").write_bytes(flipped)


def tree_of(folder: Path) -> dict[bytes, tuple[int, ...]]:
    """Return what may not change: names, kinds, sizes, times, link counts."""
    found = {}
    for place, folders, files in os.walk(os.fsencode(folder)):
        for name in [*folders, *files]:
            info = os.lstat(os.path.join(place, name))
            found[os.path.join(place, name)] = (
                info.st_mode,
                info.st_size,
                info.st_mtime_ns,
                info.st_ctime_ns,
                info.st_nlink,
            )
    return found


@pytest.fixture
def place() -> Path:
    with tempfile.TemporaryDirectory(prefix="h-") as short:  # names of sockets are short
        yield Path(short)  # type: ignore[misc]


def test_the_scan_ends_says_what_it_lost_and_touches_nothing(place: Path) -> None:
    root, outside, case = place / "root", place / "outside", place / "case"
    outside.mkdir()
    (outside / "secret.jar").write_bytes(VULNERABLE)
    build(root)
    before = tree_of(root) | tree_of(outside)
    command = "from hinomi.cli.main import main; main()"
    arguments = ["scan", str(root), "--case", str(case), "--format", "jsonl", "--jobs", "2"]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen([sys.executable, "-c", command, *arguments], stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for stream in (out, errors):
            stream.seek(0)
        told, said = out.read(), errors.read()
    assert process.returncode in (1, 3), said[-2000:]
    assert b"Traceback" not in said and usage.ru_maxrss < MEMORY
    assert tree_of(root) | tree_of(outside) == before
    assert not any(byte < 0x20 and byte != 0x0A for byte in told + said)  # nothing for the terminal to obey
    *findings, coverage = [json.loads(line) for line in told.splitlines()]
    libraries = {f["subject"]["key"] for f in findings if f["subject"]["type"] == "library"}
    for suffix in ("gz", "bz2", "xz", "zst"):  # a bomb hides nothing that stands beside it
        assert any(key.startswith(f"/bombs/{suffix}.zip » beside.jar") for key in libraries), suffix
    assert any(key.startswith("/bombs/zeros.jar » beside.jar") for key in libraries)
    assert sum(key.count("/") == 1 for key in libraries) >= len(ODD_NAMES)
    assert not any("outside" in key or "secret" in key for key in libraries)
    missed = coverage["missed"]
    assert missed["files:too-large"] == 1 and missed["libraries:truncated"] >= 2, missed
    assert coverage["skipped"]["fifo"] == coverage["skipped"]["socket"] == 1
    assert not any(key.endswith((":crashed", ":timeout")) for key in missed), missed
