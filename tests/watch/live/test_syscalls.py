"""Memory that is given back: pages of files that can be read again, never what was written to."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from pathlib import Path

import pytest

from hinomi.watch.live.syscalls import LARGE, give_back, let_go_of_code

LIBRARY = ctypes.CDLL(None, use_errno=True)
LIBRARY.mmap.restype = ctypes.c_void_p
WAYS = [give_back, let_go_of_code]


class Mapped:
    """A file in memory, private to this process, as the loader of libraries maps them."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(b"\x07" * LARGE)
        with path.open("rb") as file:
            rights = mmap.PROT_READ | mmap.PROT_WRITE
            place = LIBRARY.mmap(
                None, ctypes.c_size_t(LARGE), rights, mmap.MAP_PRIVATE, file.fileno(), ctypes.c_long(0)
            )
        assert place != ctypes.c_void_p(-1).value
        self.place = place

    def make_read_only(self) -> None:
        assert LIBRARY.mprotect(ctypes.c_void_p(self.place), ctypes.c_size_t(LARGE), mmap.PROT_READ) == 0

    def read(self) -> bytes:
        return ctypes.string_at(self.place, LARGE)

    def resident(self) -> int:
        """Return KiB of it that are in memory."""
        at = False
        for line in Path("/proc/self/smaps").read_text().splitlines():
            word, _, rest = line.partition(" ")
            if not word.endswith(":"):
                at = int(word.partition("-")[0], 16) == self.place
            elif at and word == "Rss:":
                return int(rest.split()[0])
        raise AssertionError("it is not mapped")

    def end(self) -> None:
        LIBRARY.munmap(ctypes.c_void_p(self.place), ctypes.c_size_t(LARGE))


@pytest.mark.parametrize("way", WAYS)
def test_what_can_be_read_again_is_given_back(tmp_path: Path, way: Callable[[], None]) -> None:
    mapped = Mapped(tmp_path / "library")
    try:
        mapped.make_read_only()
        assert mapped.read() == b"\x07" * LARGE
        assert mapped.resident() == LARGE >> 10
        way()
        assert mapped.resident() == 0
        assert mapped.read() == b"\x07" * LARGE
    finally:
        mapped.end()


@pytest.mark.parametrize("way", WAYS)
def test_what_was_written_before_it_became_read_only_stays(tmp_path: Path, way: Callable[[], None]) -> None:
    mapped = Mapped(tmp_path / "library")
    try:
        ctypes.memset(mapped.place + LARGE // 2, 9, 1)
        mapped.make_read_only()
        way()
        assert mapped.read()[LARGE // 2] == 9
    finally:
        mapped.end()


@pytest.mark.parametrize("way", WAYS)
def test_what_may_be_written_to_stays(tmp_path: Path, way: Callable[[], None]) -> None:
    mapped = Mapped(tmp_path / "library")
    try:
        ctypes.memset(mapped.place, 9, 1)
        way()
        assert mapped.read()[:2] == b"\x09\x07"
    finally:
        mapped.end()
