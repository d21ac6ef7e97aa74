"""A library's code in small pieces: what is used comes back alone, what was written to stays."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from pathlib import Path

import pytest

from hinomi.watch.live.librarycode import GRAIN, LibraryCode

SIZE = 4 << 20
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p


class Mapped:
    """A file in memory, private to this process, as the loader of libraries maps them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"\x07" * SIZE)
        rights = mmap.PROT_READ | mmap.PROT_WRITE
        with path.open("rb") as file:
            place = LIBC.mmap(None, ctypes.c_size_t(SIZE), rights, mmap.MAP_PRIVATE, file.fileno(), ctypes.c_long(0))
        assert place != ctypes.c_void_p(-1).value
        self.place = place

    def make_read_only(self) -> None:
        assert LIBC.mprotect(ctypes.c_void_p(self.place), ctypes.c_size_t(SIZE), mmap.PROT_READ) == 0

    def read(self, start: int = 0, size: int = SIZE) -> bytes:
        return ctypes.string_at(self.place + start, size)

    def resident(self) -> int:
        """Return the bytes of it that are in memory."""
        found, at = 0, False
        for line in Path("/proc/self/smaps").read_text().splitlines():
            word, _, rest = line.partition(" ")
            if not word.endswith(":"):
                at = rest.endswith(str(self.path))
            elif at and word == "Rss:":
                found += int(rest.split()[0]) << 10
        return found


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[Mapped]:
    one = Mapped(tmp_path / "engine.so")
    yield one
    LIBC.munmap(ctypes.c_void_p(one.place), ctypes.c_size_t(SIZE))


def test_what_is_used_comes_back_without_what_lies_around_it(mapped: Mapped) -> None:
    mapped.make_read_only()
    assert mapped.read() == b"\x07" * SIZE
    code = LibraryCode(mapped.path)
    code.let_go()
    assert mapped.resident() == 0
    assert mapped.read(SIZE // 2, 1) == b"\x07"
    assert 0 < mapped.resident() <= max(GRAIN, mmap.PAGESIZE)
    assert mapped.read() == b"\x07" * SIZE
    code.let_go()
    assert mapped.resident() == 0


def test_what_was_written_before_it_became_read_only_stays(mapped: Mapped) -> None:
    ctypes.memset(mapped.place + SIZE // 2, 9, 1)
    mapped.make_read_only()
    LibraryCode(mapped.path).let_go()
    assert mapped.read(SIZE // 2, 1) == b"\x09"


def test_what_may_be_written_to_stays(mapped: Mapped) -> None:
    ctypes.memset(mapped.place, 9, 1)
    LibraryCode(mapped.path).let_go()
    assert mapped.read(0, 2) == b"\x09\x07"


def test_a_file_that_is_not_mapped_is_nothing_to_let_go_of(mapped: Mapped, tmp_path: Path) -> None:
    mapped.make_read_only()
    mapped.read()
    for other in (Path(), tmp_path / "ine.so", tmp_path):
        LibraryCode(other).let_go()
    assert mapped.resident() == SIZE
