"""Our own inert processes with code that no file holds."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hinomi.evidence.collectors.memory_regions import COLLECTOR, memory_regions
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.processes import MemoryRegion

TARGET = memory_target({"/etc/passwd": ""})
needs_proc = pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="no /proc")


@contextmanager
def running(script: str, *arguments: str) -> Iterator[int]:
    """Run a script of ours until the block ends; it prints a line when it is ready and waits for its input to end."""
    text = script + "\nimport sys\nprint('ready', flush=True)\nsys.stdin.read()\n"
    command = [sys.executable, "-c", text, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.stdin.close()


def regions(pid: int) -> list[MemoryRegion]:
    return [row for row in memory_regions(TARGET, Coverage()) if row.pid == pid]


@needs_proc
def test_anonymous_code_and_a_program_loaded_by_hand() -> None:
    script = (
        "import mmap\nplain = mmap.mmap(-1, 8192, flags=0x22, prot=7)\nplain[0:1] = b'\\xc3'\n"
        "loaded = mmap.mmap(-1, 8192, flags=0x22, prot=7)\nloaded[0:18] = b'\\x7fELF\\2\\1\\1' + bytes(9) + b'\\3\\0'"
    )
    with running(script) as pid:
        found = [row for row in regions(pid) if row.kind == "anonymous"]
    assert sum(row.size for row in found) >= 16384
    assert all(row.permissions == "rwxp" and row.path is None for row in found)
    assert any(row.elf for row in found)


@needs_proc
def test_files_that_are_gone_and_anonymous_files(tmp_path: Path) -> None:
    library = tmp_path / "lib.so"
    library.write_bytes(b"\x7fELF" + b"\0" * 8188)
    script = (
        "import mmap, os, sys\nf = open(sys.argv[1], 'r+b')\na = mmap.mmap(f.fileno(), 4096, prot=5, flags=2)\n"
        "os.unlink(sys.argv[1])\nd = os.memfd_create('part')\nos.write(d, b'\\x7fELF' + bytes(12) + b'\\3' + bytes(4079))\n"
        "b = mmap.mmap(d, 4096, prot=5, flags=1)\nb[0]"
    )
    with running(script, str(library)) as pid:
        found = {row.kind: row for row in regions(pid) if row.kind in ("deleted", "memfd")}
    assert found["deleted"].path == str(library) and found["deleted"].permissions == "r-xp"
    assert found["memfd"].path == "/memfd:part" and found["memfd"].elf


@needs_proc
def test_what_packages_do_not_vouch_for_is_told_and_the_kernels_own_is_not() -> None:
    class Unowned:
        def __getattr__(self, name: str) -> object:
            return lambda *_: "unowned"

    with running("import ctypes") as pid:
        target = memory_target({"/etc/passwd": ""})
        object.__setattr__(target, "ownership", Unowned())
        found = [row for row in memory_regions(target, Coverage()) if row.pid == pid]
        exe = os.path.realpath(f"/proc/{pid}/exe")
    files = [row for row in found if row.kind == "file"]
    assert files and {row.package_state for row in files} == {"unowned"}
    assert exe not in {row.path for row in files}
    assert not [row for row in found if row.path in ("[vdso]", "[vsyscall]")]


def test_only_live_targets_have_memory() -> None:
    assert list(COLLECTOR.collect(TARGET, Coverage())) == []
