"""Real processes, started here and ended again; and a proc folder of our own for what cannot be started."""

import ctypes
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.collectors.processes import COLLECTOR, processes
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.processes import Process

TARGET = memory_target({"/etc/passwd": f"me:x:{os.getuid()}:0::/:/bin/sh\n"})
needs_proc = pytest.mark.skipif(not Path("/proc/self/exe").exists(), reason="no /proc")
SLEEP = shutil.which("sleep") or "/bin/sleep"


@contextmanager
def started(*command: str, **options) -> Iterator[int]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def row_of(pid: int, *, when=lambda row: True) -> Process:
    while True:
        (found,) = [row for row in processes(TARGET, Coverage()) if row.pid == pid]
        if when(found):
            return found
        time.sleep(0.05)


@needs_proc
def test_an_ordinary_process(tmp_path: Path) -> None:
    with started(SLEEP, "3600", cwd=tmp_path, env={"A": "1"}) as pid:
        row = row_of(pid, when=lambda row: row.name == "sleep")
    assert row.ppid == os.getpid()
    assert row.exe == os.path.realpath(SLEEP) and not row.exe_deleted and not row.exe_memfd
    assert row.cmdline == [SLEEP, "3600"]
    assert row.cwd == str(tmp_path) and row.root == "/"
    assert row.uid == os.getuid() and row.user == "me"
    assert row.stdin == "/dev/null" and row.stdout == "/dev/null"
    assert abs(row.started - time.time()) < 300
    assert row.preload is None and row.executable_anonymous == 0 and row.deleted_libraries == []
    assert not row.kernel_thread and row.tracer_pid == 0


@needs_proc
def test_a_program_whose_file_is_gone(tmp_path: Path) -> None:
    copy = tmp_path / "mine"
    shutil.copy(SLEEP, copy)
    with started(str(copy), "3600") as pid:
        row_of(pid, when=lambda row: row.exe == str(copy))
        copy.unlink()
        row = row_of(pid, when=lambda row: row.exe_deleted)
    assert row.exe == str(copy) and row.exe_package_state is None
    assert row.deleted_libraries == []


@needs_proc
def test_a_program_in_anonymous_memory() -> None:
    script = (
        "import os,sys\nfd=os.memfd_create('quiet')\nos.write(fd,open(sys.argv[1],'rb').read())\n"
        "os.execve(fd,['sleep','3600'],{})\n"
    )
    with started(sys.executable, "-c", script, SLEEP) as pid:
        row = row_of(pid, when=lambda row: row.exe_memfd)
    assert row.exe == "/memfd:quiet" and not row.exe_deleted


@needs_proc
def test_preloading_is_seen() -> None:
    # a library that does not exist: the loader warns and goes on
    with started(SLEEP, "3600", env={"LD_PRELOAD": "/nowhere/x.so"}, stderr=subprocess.DEVNULL) as pid:
        assert row_of(pid, when=lambda row: row.preload is not None).preload == "/nowhere/x.so"


@needs_proc
def test_writable_code_and_libraries_that_are_gone(tmp_path: Path) -> None:
    library = tmp_path / "lib.so"
    library.write_bytes(b"\0" * 8192)
    script = (
        "import mmap,os,sys,time\nm=mmap.mmap(-1,4096,prot=7,flags=0x22)\nf=open(sys.argv[1],'r+b')\n"
        "k=mmap.mmap(f.fileno(),4096,prot=5,flags=2)\nos.unlink(sys.argv[1])\ntime.sleep(3600)\n"
    )
    with started(sys.executable, "-c", script, str(library)) as pid:
        row = row_of(pid, when=lambda row: bool(row.deleted_libraries))
    assert row.deleted_libraries == [str(library)]
    assert row.executable_anonymous == 1


@needs_proc
def test_we_and_our_parents_are_rows_like_others() -> None:
    coverage = Coverage()
    rows = {row.pid: row for row in processes(TARGET, coverage)}
    assert os.getpid() in rows and rows[os.getpid()].ppid in rows
    assert coverage.examined["processes"] == len(rows)
    assert list(rows) == sorted(rows)
    assert all(row.exe is None for row in rows.values() if row.kernel_thread)


@needs_proc
def test_a_name_with_control_characters() -> None:
    name = b"a) R 1\x1b[2J"
    script = "import ctypes,sys,time\nctypes.CDLL(None).prctl(15,sys.argv[1].encode(),0,0,0)\ntime.sleep(3600)\n"
    with started(sys.executable, "-c", script, name.decode()) as pid:
        assert row_of(pid, when=lambda row: row.name == name.decode()).name
    assert ctypes.sizeof(ctypes.c_void_p) in (4, 8)


def fake(tmp_path: Path, pid: int, **files: bytes) -> None:
    base = tmp_path / str(pid)
    (base / "fd").mkdir(parents=True)
    usual = {
        "stat": b"%d (x) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0" % pid,
        "status": b"Name: x\nTracerPid:\t9\nUid:\t0\t1000\t0\t0\n",
        "cmdline": b"",
        "environ": b"",
        "maps": b"",
        "cgroup": b"",
        "loginuid": b"1000",
    }
    for name, data in {**usual, **files}.items():
        (base / name).write_bytes(data)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "stat").write_bytes(b"cpu 1\nbtime 1700000000\n")
    return tmp_path


def test_what_ends_meanwhile_is_transient(proc: Path) -> None:
    fake(proc, 1)
    (proc / "1" / "exe").symlink_to("/sbin/init")
    (proc / "77").mkdir()  # listed, yet nothing can be read any more
    coverage = Coverage()
    rows = list(processes(TARGET, coverage, os.fsencode(proc)))
    assert [(r.pid, r.tracer_pid, r.uid, r.euid, r.login_uid, r.exe) for r in rows] == [
        (1, 9, 0, 1000, 1000, "/sbin/init")
    ]
    assert [(m.subject, m.reason, m.transient) for m in coverage.misses] == [("77", "vanished", True)]
    assert coverage.complete


def test_kernel_threads_by_flag_and_not_by_name(proc: Path) -> None:
    line = b"%d ([kworker/0:1]) S 2 0 0 0 0 %d 0 0 0 0 0 0 0 0 20 0 1 0 100 0"
    fake(proc, 1)
    fake(proc, 5, stat=line % (5, 0x00200040))
    fake(proc, 6, stat=line % (6, 0x00000040), cmdline=b"[kworker/0:1]\0")
    rows = list(processes(TARGET, Coverage(), os.fsencode(proc)))
    assert [(r.pid, r.kernel_thread, r.name) for r in rows] == [
        (1, False, "x"),
        (5, True, "[kworker/0:1]"),
        (6, False, "[kworker/0:1]"),
    ]


def test_refusals_are_one_miss_per_kind(proc: Path, monkeypatch) -> None:
    for pid in (1, 4):
        fake(proc, pid)
        (proc / str(pid) / "exe").symlink_to("/x")
    real = os.readlink

    def refused(path):
        if path.endswith(b"/exe"):
            raise PermissionError(13, "no")
        return real(path)

    monkeypatch.setattr(os, "readlink", refused)
    coverage = Coverage()
    assert [r.exe for r in processes(TARGET, coverage, os.fsencode(proc))] == [None, None]
    assert [(m.subject, m.reason, m.detail) for m in coverage.misses] == [("exe", "permission", "2 processes")]


def test_hidden_processes_are_said(proc: Path) -> None:
    fake(proc, 8)
    coverage = Coverage()
    assert len(list(processes(TARGET, coverage, os.fsencode(proc)))) == 1
    assert [(m.reason, m.transient) for m in coverage.misses] == [("permission", False)]


def test_only_live_targets_have_processes() -> None:
    assert list(COLLECTOR.collect(TARGET, Coverage())) == []


@settings(max_examples=40, derandomize=True, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_content_is_a_row_or_a_miss(tmp_path_factory, data: bytes) -> None:
    root = tmp_path_factory.mktemp("proc")
    (root / "stat").write_bytes(b"btime 1\n")
    fake(root, 1, stat=b"1 (" + data, status=data, maps=data)
    fake(root, 2, cmdline=data, environ=data, maps=data, cgroup=data, loginuid=data)
    coverage = Coverage()
    rows = list(processes(TARGET, coverage, os.fsencode(root)))
    assert len(rows) + len(coverage.misses) == 2
