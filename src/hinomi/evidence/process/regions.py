"""Executable memory that no intact package stands for: what code a process runs beside what it was shipped with."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence

from hinomi.evidence.process.maps import Mapping

PAGE = os.sysconf("SC_PAGESIZE")
ELF_MAGIC = b"\x7fELF"
MAX_HEADERS = 256  # regions whose first bytes are read, per process
_IN_MEMORY_OR_SWAP = 0b11 << 62
State = Callable[[bytes], str | None]


def unsure_code(mappings: Sequence[Mapping], exe: bytes | None, state: State) -> Iterator[tuple[Mapping, str | None]]:
    """Yield the executable mappings of unsure origin with the package state of the file behind.

    That is memory without a file or with one that is gone, and files that packages do not vouch for. The program
    itself (`exe`) is told of elsewhere; a file whose state cannot be told is taken for honest.
    """
    for mapping in mappings:
        if not mapping.executable or mapping.kind == "special" or (exe is not None and mapping.path == exe):
            continue
        if mapping.kind != "file":
            yield mapping, None
        elif (known := state(mapping.path)) in ("unowned", "modified"):
            yield mapping, known


def block_starts(mappings: Sequence[Mapping]) -> dict[int, int]:
    """Return, by each mapping's first address, where the run of mappings begins that lie beside it and are of one make.

    A program loaded by hand lies in several mappings, and its header in the first of them.
    """
    starts: dict[int, int] = {}
    before: Mapping | None = None
    for mapping in mappings:
        joined = before is not None and before.end == mapping.start and before.path == mapping.path
        starts[mapping.start] = starts[before.start] if joined and before is not None else mapping.start
        before = mapping
    return starts


class ProcessMemory:
    """Reads one process's memory without touching what is not there; `OSError` where that is refused or has ended."""

    def __init__(self, base: bytes) -> None:
        """Open the memory of the process whose folder (with a slash) is `base`."""
        self._memory = os.open(base + b"mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._pages = os.open(base + b"pagemap", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._memory)
            raise

    def __enter__(self) -> ProcessMemory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close both files."""
        os.close(self._memory)
        os.close(self._pages)

    def page_entries(self, start: int, pages: int) -> Sequence[int]:
        """Return the kernel's 64-bit entry for each page from an address on; short where the kernel gives fewer."""
        data = os.pread(self._pages, 8 * pages, start // PAGE * 8)
        return struct.unpack(f"={len(data) // 8}Q", data[: len(data) // 8 * 8])

    def present(self, address: int) -> bool:
        """Whether the page at an address is in memory or swap: reading it makes the kernel fetch nothing new."""
        entries = self.page_entries(address, 1)
        return bool(entries) and bool(entries[0] & _IN_MEMORY_OR_SWAP)

    def read(self, address: int, size: int) -> bytes:
        """Return the bytes at an address; fewer where the mapping ends."""
        return os.pread(self._memory, size, address)

    def begins_with_program(self, address: int) -> bool:
        """Whether an ELF header stands at an address; False where the page is not present."""
        return self.present(address) and self.read(address, 4) == ELF_MAGIC
