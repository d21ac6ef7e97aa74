"""A process's memory, read without disturbing it: only pages that are in memory, and never those of a device."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hinomi.evidence.process import procfs
from hinomi.evidence.process.maps import Mapping, parse_line

PAGE = os.sysconf("SC_PAGESIZE")
MAX_SMAPS = 256 << 20
PRESENT, SWAPPED, OF_FILE = 1 << 63, 1 << 62, 1 << 61  # bits of a pagemap entry
_HEAD = 18  # bytes of an ELF header up to its type
_ABIS = (0, 3, 9)  # System V, Linux, FreeBSD
_PROGRAMS = (2, 3)  # executable, shared object
_FLAGS = b"VmFlags"
_SIZES = (b"Rss", b"Swap")


class _Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Described(NamedTuple):
    """A mapping with the kernel's flags of it (`io`: device, `pf`: raw page frames, ...)."""

    mapping: Mapping
    flags: frozenset[bytes]
    resident: int  # bytes in memory
    swapped: int

    @property
    def device(self) -> bool:
        """Whether it may lead to a device: reading there can do things. Real files and plain memory never do."""
        path = self.mapping.path
        named = path.startswith((b"/dev/", b"/sys/", b"/proc/", b"anon_inode:"))
        return bool(self.flags & {b"io", b"pf"}) or (named and not path.startswith((b"/dev/shm/", b"/dev/zero")))


def describe(base: bytes) -> Iterator[Described]:
    """Yield the mappings of the process whose folder (with a slash) is `base`; `OSError` where that is refused."""
    mapping: Mapping | None = None
    sizes = dict.fromkeys(_SIZES, 0)
    for line in procfs.read(base + b"smaps", MAX_SMAPS).split(b"\n"):
        word, _, rest = line.partition(b":")
        if word in sizes:
            sizes[word] = _bytes(rest)
        elif mapping is not None and word == _FLAGS:
            yield Described(mapping, frozenset(rest.split()), *sizes.values())
            mapping, sizes = None, dict.fromkeys(_SIZES, 0)
        elif line and not line[:1].isupper():
            mapping = parse_line(line)


def _bytes(text: bytes) -> int:
    """Read `12 kB`."""
    number = text.split()[:1]
    return int(number[0]) << 10 if number and number[0].isdigit() else 0


class ProcessMemory:
    """Reads one process's memory; `OSError` where that is refused or the process has ended. A context manager."""

    def __init__(self, base: bytes, pid: int | None = None) -> None:
        """Open the memory of the process whose folder (with a slash) is `base`, by default that of the number in it."""
        self._pid = pid if pid is not None else int(base.rstrip(b"/").rsplit(b"/", 1)[-1])
        self._memory = os.open(base + b"mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._pages = os.open(base + b"pagemap", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._memory)
            raise
        self._libc: Any = ctypes.CDLL(None, use_errno=True)

    def __enter__(self) -> ProcessMemory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close both files."""
        os.close(self._memory)
        os.close(self._pages)

    def page_entries(self, start: int, pages: int) -> Sequence[int]:
        """Return the kernel's 64-bit entry for each page from an address on.

        Nothing where all pages are empty; fewer than asked for where the kernel gives fewer.
        """
        try:
            data = os.pread(self._pages, 8 * pages, start // PAGE * 8)
        except (OverflowError, OSError):  # addresses of the kernel's own half
            return ()
        if data.count(0) == len(data):
            return ()
        return struct.unpack(f"={len(data) // 8}Q", data[: len(data) // 8 * 8])

    def present(self, address: int) -> bool:
        """Whether the page at an address is in memory."""
        entries = self.page_entries(address, 1)
        return bool(entries) and bool(entries[0] & PRESENT)

    def read_into(self, buffer: bytearray, at: int, address: int, size: int) -> int:
        """Copy `size` bytes from an address to `buffer[at:]` and return how many there were.

        The call (process_vm_readv) cannot reach a device, even where one was mapped a moment ago.
        """
        target = (ctypes.c_char * size).from_buffer(buffer, at)
        local = _Vector(ctypes.addressof(target), size)
        remote = _Vector(address, size)
        got = self._libc.process_vm_readv(
            self._pid,
            ctypes.byref(local),
            ctypes.c_ulong(1),
            ctypes.byref(remote),
            ctypes.c_ulong(1),
            ctypes.c_ulong(0),
        )
        del target  # else the buffer could not change its size
        if got >= 0:
            return int(got)
        error = ctypes.get_errno()
        if error == errno.EFAULT:
            return 0
        raise OSError(error, os.strerror(error))

    def read_guarded(self, buffer: bytearray, at: int, address: int, size: int) -> int:
        """As `read_into`, for memory that the process itself may not read: known to be plain memory."""
        try:
            data = os.pread(self._memory, size, address)
        except OSError as error:
            if error.errno in (errno.EIO, errno.EFAULT):
                return 0
            raise
        buffer[at : at + len(data)] = data
        return len(data)

    def begins_with_program(self, address: int) -> bool:
        """Whether the header of an ELF program or library stands at an address that is in memory.

        Compilers of WebAssembly keep their code in ELF images too, which no system could run: of their own ABI.
        """
        head = bytearray(_HEAD)
        if not self.present(address) or self.read_into(head, 0, address, _HEAD) < _HEAD:
            return False
        return head[:4] == b"\x7fELF" and head[7] in _ABIS and (head[16] | head[17]) in _PROGRAMS
