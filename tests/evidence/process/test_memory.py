"""Patterns in our own inert processes' memory; a look that only searches for one text."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from hinomi.evidence.process import memory
from hinomi.evidence.process.itself import own_processes
from hinomi.evidence.process.maps import Mapping
from hinomi.evidence.process.memory import Found, MemoryCollector, MemoryLimits, search_memory
from hinomi.evidence.process.pages import Described, describe
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.processes import MemoryMatch, MemoryRegion

needs_proc = pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="no /proc")
MARK = b"quiet-marker-" + b"5d1c9b"
HALVES = "m = b'-'.join([b'quiet', b'marker', b'5d1c9b'])\n"  # never whole in the script's own text


class OneText:
    """Finds the marker."""

    def __init__(self) -> None:
        self.seen = 0

    def search(self, data: bytes) -> list[Found]:
        self.seen += len(data)
        places, at = [], data.find(MARK)
        while at >= 0:
            places.append(Found("marker", "$m", at, len(MARK), MARK.decode()))
            at = data.find(MARK, at + 1)
        return places


@contextmanager
def running(script: str, *arguments: str) -> Iterator[int]:
    text = HALVES + script + "\nimport sys\nprint('ready', flush=True)\nsys.stdin.read()\n"
    command = [sys.executable, "-c", text, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.stdin.close()


@pytest.fixture(autouse=True)
def children_are_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a scan starts is left out; what a test starts is what it is about."""
    monkeypatch.setattr(memory, "own_processes", lambda proc: frozenset({os.getpid()}))


def matches(pid: int, coverage: Coverage | None = None, limits: MemoryLimits | None = None) -> list[MemoryMatch]:
    rows = list(search_memory(OneText(), [pid], limits or MemoryLimits(), coverage or Coverage()))
    regions = {row.address for row in rows if isinstance(row, MemoryRegion)}
    found = [row for row in rows if isinstance(row, MemoryMatch)]
    assert {row.region for row in found} <= regions
    assert all(int(row.address, 16) == int(row.region, 16) + row.offset for row in found)
    return found


@needs_proc
def test_anonymous_shared_and_deleted_memory(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.write_bytes(b"\0" * 4096 + MARK + b"\0" * 8192)
    script = (
        "import mmap, os, sys\na = mmap.mmap(-1, 1 << 20, flags=0x22)\na[70000:70000 + len(m)] = m\n"
        "s = mmap.mmap(-1, 1 << 20)\ns[9000:9000 + len(m)] = m\n"
        "f = open(sys.argv[1], 'rb')\nd = mmap.mmap(f.fileno(), 0, prot=1, flags=2)\nd[4096]\nos.unlink(sys.argv[1])\n"
        "n = os.memfd_create('part')\nos.write(n, m + bytes(5000))\nk = mmap.mmap(n, 0)\nk[0]"
    )
    coverage = Coverage()
    with running(script, str(gone)) as pid:
        found = matches(pid, coverage)
    by_file = {row.path: row for row in found if row.path and row.path != "[heap]"}
    assert by_file[str(gone)].offset == 4096 and by_file[str(gone)].permissions == "r--p"
    assert by_file["/memfd:part"].offset == 0
    assert by_file["/dev/zero"].permissions == "rw-s"
    assert any(row.path is None and row.permissions == "rw-p" for row in found)
    assert all(row.process == "python" or row.process.startswith("python") for row in found)
    assert coverage.examined["processes-memory"] == 1 and coverage.examined["memory-bytes"] > 0


@needs_proc
def test_pages_as_the_file_has_them_are_left_to_the_scan_of_files(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(MARK + b"\0" * 4083 * 3)
    script = (
        "import mmap, sys\nf = open(sys.argv[1], 'rb')\nd = mmap.mmap(f.fileno(), 0, prot=3, flags=2)\nd[0]; d[5000]\n"
        "d[9000:9001] = b'x'"
    )
    coverage = Coverage()
    with running(script, str(kept)) as pid:
        assert [row for row in matches(pid, coverage) if row.path == str(kept)] == []
    assert coverage.skipped["memory-bytes-clean-file-pages"] > 0


@needs_proc
def test_what_a_process_changed_in_a_file_is_found(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(bytes(3 * 4096))
    script = (
        "import mmap, sys\nf = open(sys.argv[1], 'rb')\nd = mmap.mmap(f.fileno(), 0, prot=3, flags=2)\nd[0]\n"
        "d[4100:4100 + len(m)] = m"
    )
    with running(script, str(kept)) as pid:
        assert [row.offset for row in matches(pid) if row.path == str(kept)] == [4100]


@needs_proc
def test_memory_that_the_process_itself_may_not_read() -> None:
    script = (
        "import ctypes, mmap\na = mmap.mmap(-1, 8192, flags=0x22)\na[100:100 + len(m)] = m\n"
        "at = ctypes.addressof(ctypes.c_char.from_buffer(a))\n"
        "assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(at), 8192, 0) == 0"
    )
    with running(script) as pid:
        assert [row.offset % 4096 for row in matches(pid) if row.permissions == "---p"] == [100]


@needs_proc
def test_a_pattern_across_two_windows_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "WINDOW", 64 << 10)
    monkeypatch.setattr(memory, "OVERLAP", 4096)
    script = (
        "import mmap\na = mmap.mmap(-1, 1 << 20, flags=0x22)\na[0:] = b'.' * len(a)\n"
        "for n in range(1, 16):\n a[65536 * n - 9:65536 * n - 9 + len(m)] = m"
    )
    with running(script) as pid:
        found = [row for row in matches(pid) if row.permissions == "rw-p" and row.path is None]
    per_region = {region: [r.offset for r in found if r.region == region] for region in {r.region for r in found}}
    offsets = max(per_region.values(), key=len)
    assert len(offsets) == len(set(offsets))
    assert sum(offset + 65536 in offsets for offset in offsets) == 14


@needs_proc
def test_reserved_memory_is_not_fetched_and_costs_nothing() -> None:
    script = "import mmap\na = mmap.mmap(-1, 1 << 36, flags=0x4022)\na[1 << 35:(1 << 35) + len(m)] = m"
    coverage = Coverage()
    with running(script) as pid:
        before = Path(f"/proc/{pid}/statm").read_text().split()[1]
        found = matches(pid, coverage)
        after = Path(f"/proc/{pid}/statm").read_text().split()[1]
    assert any(row.offset % (1 << 35) < 1 << 30 and row.path is None for row in found)
    assert abs(int(after) - int(before)) < 1 << 15  # pages: of 64 GiB; the kernel may make some of its own huge
    assert coverage.skipped["memory-bytes-not-resident"] > 1 << 35


@needs_proc
def test_bounds_are_kept_and_said() -> None:
    script = "import mmap\na = mmap.mmap(-1, 1 << 23, flags=0x22)\na[0:] = b'.' * len(a)\na[-100:-100 + len(m)] = m"
    coverage = Coverage()
    with running(script) as pid:
        matches(pid, coverage, MemoryLimits(per_process=1 << 20))
    assert coverage.examined["memory-bytes"] <= 1 << 20
    assert [m.reason for m in coverage.misses] == ["budget"] and not coverage.complete


@needs_proc
def test_a_process_has_its_time_and_no_more() -> None:
    script = (
        "import mmap\na = [mmap.mmap(-1, 1 << 20, flags=0x22) for _ in range(8)]\nfor x in a: x[0:] = b'.' * len(x)"
    )
    coverage, look = Coverage(), OneText()
    slow = count()

    class Slow:
        def search(self, data: bytes) -> list[Found]:
            self.spent = next(slow)
            return look.search(data)

    slowly = Slow()
    with running(script) as pid:
        limits = MemoryLimits(seconds=3.0, spent=lambda: float(getattr(slowly, "spent", 0)))
        list(search_memory(slowly, [pid], limits, coverage))
    assert slowly.spent == 3, "no piece is begun after the time is up"
    assert coverage.examined["memory-bytes"] > 0
    assert [m.reason for m in coverage.misses] == ["timeout"] and not coverage.complete, "what was left is said"


def test_devices_are_told_by_the_kernels_flags_and_by_their_names() -> None:
    def described(path: bytes, *flags: bytes) -> Described:
        return Described(Mapping(0, 4096, b"rw-s", 0, 1, path, False), frozenset(flags), 0, 0)

    assert described(b"/anything", b"io").device and described(b"", b"pf").device
    assert described(b"/dev/dri/card0").device and described(b"/sys/devices/pci0/resource0").device
    assert not described(b"/dev/shm/x").device and not described(b"/dev/zero", b"rd").device
    assert not described(b"", b"rd", b"wr", b"dd").device


@needs_proc
def test_descriptions_of_our_own_memory() -> None:
    found = list(describe(b"/proc/self/"))
    assert any(one.mapping.path == b"[heap]" or one.mapping.path == b"" for one in found)
    assert sum(one.resident for one in found) > 1 << 20
    assert all(one.flags for one in found)


@needs_proc
def test_we_ourselves_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "own_processes", own_processes)
    coverage = Coverage()
    with running("") as pid:
        assert {os.getpid(), pid} <= own_processes()
        assert os.getppid() not in own_processes()
        assert list(search_memory(OneText(), [os.getpid(), pid], MemoryLimits(), coverage)) == []
    assert coverage.skipped["memory-of-hinomi-itself"] == 2


@needs_proc
def test_a_process_that_is_not_there_is_said() -> None:
    coverage = Coverage()
    assert list(search_memory(OneText(), [2**22 + 5], MemoryLimits(), coverage)) == []
    assert [(m.subject, m.reason) for m in coverage.misses] == [(str(2**22 + 5), "no-such-process")]


def test_only_live_targets_have_memory() -> None:
    assert list(MemoryCollector(OneText()).collect(memory_target({}), Coverage())) == []
