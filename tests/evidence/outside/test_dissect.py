"""dissect out of process: the protocol with a stand-in for the library, and the library itself where it is installed."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from hinomi.detect.catalogue import load_rules
from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.images.foreign import open_foreign
from hinomi.evidence.images.view import ImageView
from hinomi.evidence.options import ScanOptions
from hinomi.evidence.outside import dissect, driver
from hinomi.examples.replica import build_replica
from hinomi.flow.scanning import scan
from hinomi.model.errors import ParseError, TargetError
from hinomi.store.case import Case

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
INSTALLED = Path(__file__).parents[3] / ".venv-dissect"
IMAGE = bytes(range(256)) * 4096


# --- the protocol, with a stand-in for the library --------------------------------------------------------------------


class Entry:
    """A file or folder as dissect shows one."""

    def __init__(self, name, mode=0o100644, size=0, link=None, data=None, children=()):
        self.name, self._link, self._data, self._children = name, link, data, children
        self._info = SimpleNamespace(
            st_mode=mode, st_uid=1000, st_gid=33, st_size=size, st_mtime=1.5e9, st_ctime=1.6e9, st_birthtime=1.4e9,
            st_ino=abs(hash(name)) % 10_000 + 3, st_nlink=1,
        )  # fmt: skip

    def get(self):
        return self

    def lstat(self):
        if self.name == "damaged":
            raise ValueError("no such inode")
        return self._info

    def readlink(self):
        return self._link

    def scandir(self):
        if self.name == "crash":
            os._exit(9)
        while self.name == "hang":
            pass
        return self._children

    def open(self):
        return self._data


class Part:
    """A file whose bytes are those of the image."""

    def __init__(self, lent, start):
        self._lent, self._start = lent, start

    def seek(self, at):
        self._lent.seek(self._start + at)

    def read(self, length):
        return self._lent.read(length)


def stand_in(lent, keys):
    """One file system: a file within the image, one over all of it, a link, bad things."""
    if keys != ["sesame"]:
        raise driver.LockedError
    folder = 0o040755
    files = [
        Entry("part", size=1000, data=Part(lent, 256)),
        Entry("all", size=len(IMAGE), data=Part(lent, 0)),
        Entry("raw-\udcff", link="../part", mode=0o120777),
        Entry("damaged"),
        Entry("a/b"),
        Entry("crash", folder),
        Entry("hang", folder),
    ]
    yield driver.Given("volume", root=Entry("", folder, children=files))


@pytest.fixture
def reader(monkeypatch):
    """Return the reader, its driver a fork of this process with the stand-in in place of the library."""

    def started(python, end):
        del python
        pid = os.fork()
        if pid == 0:
            driver._load = lambda: None
            driver._drop = lambda user: None
            driver._OPENERS["apfs"] = stand_in
            driver.CPU_SECONDS = 1
            os.closerange(3, end)
            os.closerange(end + 1, 256)
            try:
                driver.serve(end)
            finally:
                os._exit(1)
        return SimpleNamespace(kill=lambda: os.kill(pid, 9), wait=lambda: os.waitpid(pid, 0))

    monkeypatch.setattr(dissect, "_started", started)
    dissect.prepare(dissect.Settings("python", ("sesame",)))
    yield dissect.reader()
    dissect.reader().close()
    dissect.prepare(None)


@pytest.fixture
def view(reader):
    ((name, tree),) = open_foreign("apfs", BytesSource(IMAGE))
    assert name == "volume"
    return ImageView(tree)


def test_entries_keep_all_that_is_known_of_them(view):
    entry = view.entry(b"/part")
    assert (entry.mode, entry.uid, entry.gid, entry.size) == (0o644, 1000, 33, 1000)
    assert (entry.mtime, entry.ctime, entry.btime) == (1.5e9, 1.6e9, 1.4e9)
    assert view.entry(b"/raw-\xff").link_target == b"../part"
    missed = {place: reason for place, reason, _ in view.tree.notes.missed}
    assert missed == {"damaged": "damaged", "a/b": "damaged"}
    assert view.listdir(b"/") == [b"all", b"crash", b"hang", b"part", b"raw-\xff"]


def test_bytes_are_read_from_the_image_that_was_lent(view):
    assert view.read(b"/part", 5000)[:1000] == IMAGE[256:1256]
    assert view.read(b"/all", 1 << 30) == IMAGE
    assert view.file_source(b"/all").read_at(70_000, 10) == IMAGE[70_000:70_010]


def test_no_key_that_opens_it_is_encrypted(reader):
    with pytest.raises(ParseError) as caught:
        dissect.Reader.open(SimpleNamespace(_keys=("wrong",), _ask=reader._ask), "apfs", BytesSource(IMAGE))
    assert caught.value.code == "image.encrypted"
    assert "wrong" not in caught.value.cause


def test_an_image_that_cannot_be_read_is_said(reader):
    class Broken:
        size = len(IMAGE)

        def read_at(self, offset, length):
            raise ParseError("image.truncated", cause="the disk ends")

    ((_, tree),) = open_foreign("apfs", Broken())
    with pytest.raises(OSError, match="the disk ends"):
        ImageView(tree).read(b"/part", 10)


def test_a_folder_without_end_costs_its_time_only(view):
    with pytest.raises(ParseError) as caught:
        view.tree.children(view.tree.children(view.tree.root)[b"hang"])
    assert caught.value.code == "image.budget", caught.value.cause
    assert view.read(b"/part", 10) == IMAGE[256:266]


def test_a_process_that_died_is_said_every_time(view):
    crash = view.tree.children(view.tree.root)[b"crash"]
    for _ in range(2):
        with pytest.raises(ParseError, match=r"process"):
            view.tree.children(crash)


def test_one_that_dies_while_it_asks_disturbs_nobody(view):
    """The image's source ends the process in the middle of lending."""
    pid = os.fork()
    if pid == 0:

        class Deadly:
            size = len(IMAGE)

            def read_at(self, offset, length):
                os._exit(7)

        view.tree._reader.read(Deadly(), view.tree._given.number, (b"all",), 300_000, 10)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert view.read(b"/all", 1 << 30) == IMAGE


def test_processes_and_threads_ask_at_once(view):
    def read():
        for at in range(0, len(IMAGE), 100_003):
            got = view.tree._reader.read(view.tree.source, view.tree._given.number, (b"all",), at, 70_000)
            if got != IMAGE[at : at + 70_000]:
                raise AssertionError(at)

    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            try:
                read()
                os._exit(0)
            finally:
                os._exit(1)
        children.append(pid)
    wrong = []
    threads = [threading.Thread(target=lambda: wrong.extend(failed(read))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0]
    assert wrong == []


def failed(read):
    try:
        read()
    except (AssertionError, ParseError) as error:
        return [error]
    return []


# --- which interpreter ------------------------------------------------------------------------------------------------


def test_the_interpreter_is_found_by_what_a_user_names(tmp_path):
    python = shutil.which("python3")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(python)
    program = tmp_path / "target-query"
    program.write_text(f"#!{tmp_path}/bin/python\nimport sys\n")
    program.chmod(0o755)
    assert dissect.interpreter_of(python) == os.path.abspath(python)
    assert dissect.interpreter_of(str(tmp_path)) == str(tmp_path / "bin/python")
    assert dissect.interpreter_of(str(program)) == str(tmp_path / "bin/python")
    program.write_text("#!/bin/sh\n")
    for named in (str(program), "/nowhere/python"):
        with pytest.raises(ParseError):
            dissect.interpreter_of(named)


def test_an_interpreter_without_dissect_is_said(tmp_path, luks):
    with Case.open(tmp_path / "case") as case, pytest.raises(TargetError, match="dissect"):
        options = ScanOptions(jobs=1, dissect=shutil.which("python3", path="/usr/bin:/bin") or "python3")
        scan(case, [str(luks)], load_rules(), options=options)


# --- the library itself -----------------------------------------------------------------------------------------------


def run(*command):
    tool = shutil.which(command[0], path=PATH)
    if tool is None:
        pytest.skip(f"{command[0]} is not here")
    subprocess.run([tool, *map(str, command[1:])], check=True, capture_output=True, timeout=1800)


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replica") / "root"
    build_replica(folder, seed=5)
    return folder


@pytest.fixture(scope="module")
def catalogue():
    return load_rules()


@pytest.fixture(scope="module")
def from_folder(replica, catalogue, tmp_path_factory):
    with Case.open(tmp_path_factory.mktemp("folder") / "case") as case:
        (result,) = scan(case, [str(replica)], catalogue)
    return high(result)


@pytest.fixture(scope="module")
def luks(replica, tmp_path_factory):
    folder = tmp_path_factory.mktemp("luks")
    run("mke2fs", "-q", "-F", "-t", "ext2", "-d", replica, folder / "raw", "2M")
    secret = "secret,id=s,data=open sesame"
    run(
        "qemu-img", "convert", "--object", secret, "-f", "raw", "-O", "luks", "-o", "key-secret=s,iter-time=10",
        folder / "raw", folder / "luks",
    )  # fmt: skip
    return folder / "luks"


@pytest.fixture
def looked(tmp_path, catalogue):
    """Return what scans with dissect, and keys in a file."""
    if not (INSTALLED / ".ready").exists():
        pytest.skip("dissect is not installed (tools/make_dissect.sh)")

    def look(target, *keys):
        (tmp_path / "keys").write_text("".join(f"{key}\n" for key in keys))
        options = ScanOptions(jobs=2, dissect=str(INSTALLED), key_file=str(tmp_path / "keys"))
        with Case.open(tmp_path / "case") as case:
            return scan(case, [str(target)], catalogue, options=options)

    return look


def high(result, way=""):
    return sorted(
        (f.rule_id, f.subject_key.removeprefix(way))
        for f in result.findings
        if f.severity in ("high", "critical") and f.rule_id != "image-repacked"
    )


def test_a_file_system_gives_the_same_findings_as_the_folder(replica, looked, from_folder, tmp_path):
    run("mkfs.cramfs", replica, tmp_path / "root.cramfs")
    (result,) = looked(tmp_path / "root.cramfs")
    assert len(from_folder) > 5
    assert high(result) == from_folder
    assert result.coverage.misses == []


def test_an_encrypted_volume_opens_by_its_key(luks, looked, from_folder):
    (result,) = looked(luks, "another", "open sesame")
    assert high(result) == from_folder
    assert result.coverage.misses == []


def test_an_encrypted_volume_without_its_key_stays_closed(luks, looked):
    with pytest.raises(TargetError) as caught:
        looked(luks, "another")
    assert "no key" in caught.value.cause
    assert "another" not in caught.value.cause


def test_what_is_nested_is_opened_too(luks, looked, from_folder, tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(luks, arcname="backup/disk")
    outer, inner = looked(tmp_path / "a.tar", "open sesame")
    assert inner.target.endswith("a.tar » backup/disk")
    assert high(inner, "backup/disk » ") == from_folder
    assert outer.coverage.misses == []


def test_an_apple_file_system_is_listed(looked, tmp_path):
    """No program here writes files into one: an empty one is what can be made."""
    with (tmp_path / "a.apfs").open("wb") as file:
        file.truncate(600 << 20)
    run("mkapfs", tmp_path / "a.apfs")
    (result,) = looked(tmp_path / "a.apfs")
    assert result.coverage.misses == []
    data = bytearray(1 << 20)
    with (tmp_path / "a.apfs").open("r+b") as file:
        data[:] = file.read(len(data))
        file.seek(40)
        file.write(b"\xff" * 2000)
    with pytest.raises(TargetError, match="dissect"):
        looked(tmp_path / "a.apfs")


def fortios_disk(replica, folder, seed):
    """A disk as FortiOS 7.4 lays it out: the root is one encrypted archive beside the kernel."""
    packed = folder / "root.tar"
    with tarfile.open(packed, "w") as archive:
        archive.add(replica, arcname=".")
    key = hashlib.sha256(seed[4:32] + seed[:4]).digest()
    start = hashlib.sha256(seed[5:32] + seed[:5]).digest()[:16]
    plain = gzip.compress(packed.read_bytes())
    boot = folder / "boot"
    boot.mkdir()
    (boot / "rootfs.gz").write_bytes(Cipher(algorithms.ChaCha20(key, start), None).encryptor().update(plain))
    (boot / "flatkc").write_bytes(b"kernel")
    (boot / ".fgtsum").write_bytes(b"sum")
    run("mke2fs", "-q", "-F", "-t", "ext2", "-d", boot, folder / "part", "4M")
    table = bytearray(512)
    table[446:462] = b"\x80\0\0\0\x83\0\0\0" + (2048).to_bytes(4, "little") + (8192).to_bytes(4, "little")
    table[510:] = b"\x55\xaa"
    disk = folder / "disk"
    disk.write_bytes(bytes(table).ljust(1 << 20, b"\0") + (folder / "part").read_bytes())
    return disk


def test_a_fortios_root_is_opened_by_its_key(replica, looked, from_folder, tmp_path):
    seed = bytes(range(32))
    disk = fortios_disk(replica, tmp_path, seed)
    root, boot, *_ = looked(disk, seed.hex())
    assert high(root) == from_folder
    assert boot.target.endswith("boot") or "p1" in boot.target


def test_a_fortios_root_without_key_is_a_miss(replica, catalogue, tmp_path):
    disk = fortios_disk(replica, tmp_path, bytes(32))
    with Case.open(tmp_path / "case") as case:
        result = scan(case, [str(disk)], catalogue, options=ScanOptions(jobs=1))[0]
    (miss,) = result.coverage.misses
    assert (miss.reason, "rootfs.gz" in miss.subject, "--dissect" in miss.detail) == ("unsupported", True, True)
