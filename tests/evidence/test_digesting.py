"""Files digested by threads of the compiled core and by worker processes in Python: the same rows, the same misses."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from hinomi.evidence import pipeline
from hinomi.evidence.collect import collect
from hinomi.evidence.digesting import DigestThreads, FolderBatch
from hinomi.evidence.native import compiled
from hinomi.evidence.sources.descriptors import OpenFolder, entry_at
from hinomi.evidence.sources.root import root_target
from hinomi.evidence.target import Limits
from hinomi.evidence.workers import Lost
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import File


def rows_of(folder: Path, limits: Limits | None = None) -> tuple[dict[str, File], Coverage]:
    rows: list[File] = []
    coverage = Coverage()
    collect(root_target(folder, limits=limits), rows.append, coverage, collectors=(), jobs=2)  # type: ignore[arg-type]
    found = {row.path: row for row in rows}
    assert len(found) == len(rows)
    return found, coverage


def fill(folder: Path) -> None:
    for number in range(40):
        (folder / f"d{number}").mkdir()
        for index in range(number):
            (folder / f"d{number}" / f"f{index}").write_bytes(os.urandom(index * 997))
    (folder / "large").write_bytes(b"0123456789abcdef" * 200_000)
    (folder / "empty").touch()
    (folder / "script").write_text("#!/bin/sh\n")
    os.link(folder / "large", folder / "twin")
    os.mkfifo(folder / "fifo.jar")
    (folder / "outside").symlink_to("/etc/passwd")
    (folder / os.fsdecode(b"\xff\n")).write_text("x")


def test_rows_are_the_same_with_and_without_the_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled("digests") is None:
        pytest.skip("the compiled core was not built: no C compiler or no Python.h")
    fill(tmp_path)
    fast, told = rows_of(tmp_path)
    monkeypatch.setenv("HINOMI_PURE", "1")
    slow, said = rows_of(tmp_path)

    assert fast == slow and list(fast) == list(slow)
    assert told.to_json() == said.to_json()
    assert (
        fast["/large"].sha256 == fast["/twin"].sha256 == hashlib.sha256((tmp_path / "large").read_bytes()).hexdigest()
    )
    assert (fast["/script"].content_type, fast["/empty"].content_type) == ("text/x-shellscript", "inode/x-empty")
    assert fast["/outside"].sha256 is None and told.examined["hard-links"] == 1


def test_a_package_s_own_digest_is_compared(tmp_path: Path, core: str) -> None:
    info = tmp_path / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/good").write_bytes(b"good")
    (tmp_path / "usr/bin/bad").write_bytes(b"bad")
    good = hashlib.md5(b"good", usedforsecurity=False).hexdigest()
    (info.parent / "status").write_text("Package: p\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n")
    (info / "p.list").write_text("/.\n/usr\n/usr/bin\n/usr/bin/good\n/usr/bin/bad\n")
    (info / "p.md5sums").write_text(f"{good}  usr/bin/good\n{good}  usr/bin/bad\n")
    rows, _ = rows_of(tmp_path)
    assert (rows["/usr/bin/good"].package_state, rows["/usr/bin/bad"].package_state) == ("intact", "modified")


def test_attributes_are_told(tmp_path: Path, core: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    value = bytes.fromhex("0100000200040000000000000000000000000000")
    try:
        for number in range(30):
            os.setxattr(tmp_path / "file", f"user.long-name-{number:060}", b"v" * number)
        os.setxattr(tmp_path / "file", "security.capability", value)
    except OSError as error:
        pytest.skip(f"this file system keeps no such attributes: {error.strerror}")
    row = rows_of(tmp_path)[0]["/file"]
    assert len(row.xattrs) == 31 and row.capabilities == value.hex()


def test_files_above_the_limit_are_a_miss(tmp_path: Path, core: str) -> None:
    (tmp_path / "large").write_bytes(bytes(3000))
    (tmp_path / "small").write_bytes(bytes(2000))
    rows, coverage = rows_of(tmp_path, Limits(max_file_size=2500))
    assert rows["/large"].sha256 is None and rows["/small"].sha256 is not None
    assert coverage.missed == {"files:too-large": 1} and not coverage.complete


# --- the core by itself ---------------------------------------------------------------------------------------------


@pytest.fixture
def digests():
    module = compiled("digests")
    if module is None:
        pytest.skip("the compiled core was not built: no C compiler or no Python.h")
    return module


def read(module, folder: Path, name: str, *, limit: int = 1 << 30, change=lambda: None, place=None, head=4096):
    fd = os.open(folder, os.O_RDONLY)
    try:
        entry = entry_at(b"/" + os.fsencode(name), os.fsencode(name), fd)
        change()
        (answer,) = module.read_files([(fd, entry, 0)], place or bytearray(24), limit, head, 1 << 40, True)
        return answer
    finally:
        os.close(fd)


def test_what_was_put_in_a_file_s_place_is_not_read(tmp_path: Path, digests) -> None:
    victim = tmp_path / "file"

    def swap(make) -> None:
        victim.unlink(missing_ok=True)
        make()

    (tmp_path / "kept").write_text("holds its inode number")
    victim.write_text("first")
    os.link(victim, tmp_path / "still")
    assert read(digests, tmp_path, "file", change=lambda: swap(lambda: victim.write_text("x")))[0] == digests.REPLACED
    assert read(digests, tmp_path, "file", change=lambda: swap(lambda: os.mkfifo(victim)))[0] == digests.NOT_REGULAR
    victim.unlink()
    victim.write_text("again")
    assert read(digests, tmp_path, "file", change=lambda: swap(lambda: victim.symlink_to("kept")))[0] == 40  # ELOOP
    victim.unlink()
    victim.write_text("again")
    assert read(digests, tmp_path, "file", change=lambda: swap(lambda: None))[0] == 2  # ENOENT


def test_limits_hold_also_for_what_is_not_said(tmp_path: Path, digests) -> None:
    (tmp_path / "file").write_bytes(b"abcd" * 1000)
    assert read(digests, tmp_path, "file", limit=3999)[0] == digests.TOO_LARGE
    outcome, size, sha256, other, head, xattrs, _ = read(digests, tmp_path, "file", limit=4000, head=10)
    assert (outcome, size, other, head, xattrs) == (0, 4000, None, b"abcdabcdab", None)
    assert sha256 == hashlib.sha256(b"abcd" * 1000).digest()


def test_a_file_that_never_rests_is_said_to_change(tmp_path: Path, digests) -> None:
    path = tmp_path / "busy"
    path.write_bytes(bytes(64 << 20))
    done = threading.Event()

    def stir() -> None:
        fd = os.open(path, os.O_WRONLY)
        while not done.is_set():
            os.pwrite(fd, os.urandom(8), 0)
        os.close(fd)

    thread = threading.Thread(target=stir)
    thread.start()
    try:
        while read(digests, tmp_path, "busy")[0] != digests.CHANGES:
            assert thread.is_alive()  # it may have had no turn meanwhile
    finally:
        done.set()
        thread.join()


def test_reading_can_be_stopped(tmp_path: Path, digests) -> None:
    (tmp_path / "file").write_text("x")
    place = bytearray(24)
    place[16] = 1
    assert read(digests, tmp_path, "file", place=place)[0] == digests.STOPPED


def test_wrong_arguments_are_refused(tmp_path: Path, digests) -> None:
    (tmp_path / "file").write_text("x")
    fd = os.open(tmp_path, os.O_RDONLY)
    entry = entry_at(b"/file", b"file", fd)
    try:
        for items in ([(fd, entry)], [(fd, (1, 2), 0)], [(fd, entry, 7)], [(fd, tuple("abcdefgh"), 0)], 5):
            with pytest.raises(TypeError):
                digests.read_files(items, bytearray(24), 1, 1, 1, False)
        with pytest.raises(ValueError, match="zero"):
            digests.read_files([(fd, entry._replace(path=b"/a\0b"), 0)], bytearray(24), 1, 1, 1, False)
        with pytest.raises(ValueError, match="place"):
            digests.read_files([(fd, entry, 0)], bytearray(23), 1, 1, 1, False)
        with pytest.raises(BufferError):
            digests.read_files([(fd, entry, 0)], bytes(24), 1, 1, 1, False)
    finally:
        os.close(fd)


# --- threads --------------------------------------------------------------------------------------------------------


class Stuck:
    """A core whose files named `stuck` are never done."""

    def __init__(self, core) -> None:
        self.core = core
        self.release = threading.Event()

    def read_files(self, items, place, *rest):
        answers = []
        for number, item in enumerate(items):
            place[:16] = number.to_bytes(8, "little", signed=True) + bytes(memoryview(place)[8:16])
            if item[1].name == b"stuck":
                import struct

                struct.pack_into("<qd", place, 0, number, 0.001)  # since long ago
                self.release.wait()
            answers += self.core.read_files([item], bytearray(24), *rest)
        return answers


def test_a_file_that_is_never_done_costs_itself(tmp_path: Path, digests, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "stuck", "z"):
        (tmp_path / name).write_text(name)
    stuck = Stuck(digests)
    monkeypatch.setattr(pipeline, "compiled", lambda _: stuck)
    try:
        rows, coverage = rows_of(tmp_path, Limits(max_file_seconds=30.0))
    finally:
        stuck.release.set()
    assert {path for path, row in rows.items() if row.sha256} == {"/a", "/z"}
    assert coverage.missed == {"files:timeout": 1}


def test_an_error_of_the_core_is_not_swallowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")

    def fail(*_) -> list:
        raise MemoryError("no more")

    monkeypatch.setattr(pipeline, "compiled", lambda _: SimpleNamespace(read_files=fail))
    with pytest.raises(MemoryError, match="no more"):
        rows_of(tmp_path)


def test_folders_stay_open_until_their_files_are_read(tmp_path: Path, digests) -> None:
    (tmp_path / "file").write_text("x")
    folder = OpenFolder(os.open(tmp_path, os.O_RDONLY))
    pool, batch = DigestThreads(digests, 1, 1 << 30, 30.0), FolderBatch()
    batch.add_from(folder, entry_at(b"/file", b"file", folder.fd), None)
    folder.release()
    pool.submit(batch)
    while batch.left:
        pool.pump(wait=True)
    pool.close()
    assert not isinstance(batch.answers[0], Lost) and batch.answers[0].sha256 == hashlib.sha256(b"x").hexdigest()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(folder.fd)
