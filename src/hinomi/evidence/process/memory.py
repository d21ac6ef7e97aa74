"""Patterns in the memory of processes: region by region, in windows, within bounds, and saying what was not read.

Not read are: regions of devices; pages that are not in memory (fetching them would cost the host); pages of files that
are as the file is (the scan of files reads those). A process may change while it is read: what is found is what stood
there at one moment.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from hinomi.evidence.process import procfs
from hinomi.evidence.process.itself import own_processes
from hinomi.evidence.process.maps import Mapping
from hinomi.evidence.process.pages import OF_FILE, PAGE, PRESENT, SWAPPED, Described, ProcessMemory, describe
from hinomi.evidence.process.regions import region_row
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.processes import MemoryMatch, MemoryRegion
from hinomi.model.text import path_text

WINDOW = 4 << 20  # bytes searched at a time
STRIDE = 256 << 20  # bytes whose page entries are read at a time
MAX_SPAN = 1 << 40  # bytes of address space looked through per region
OVERLAP = 64 << 10  # longest pattern that may lie across two windows
MAX_ROWS = 200  # matches kept per process
_AS_IN_FILE = ("file",)  # kinds whose unchanged pages are the file's own
AREA = "memory"


class Found(NamedTuple):
    """One pattern in a piece of memory; `offset` counts from the piece's beginning."""

    rule: str
    pattern: str
    offset: int
    length: int
    excerpt: str


class Look(Protocol):
    """What searches a piece of memory; raises `ParseError` for a search past its time."""

    def search(self, data: bytes) -> list[Found]:
        """Return the patterns in `data`."""


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """Bounds in bytes and in seconds of this program's own processor time."""

    per_process: int = 1 << 30
    total: int = 16 << 30
    seconds: float = 60.0  # per process
    total_seconds: float = 1800.0
    spent: Callable[[], float] = time.process_time


@dataclass
class MemoryCollector:
    """Rows for patterns in the memory of processes, and for the regions that hold them (a `HostCollector`).

    `pids` chooses processes; by default all are read, but for this program's own: its rules would find themselves.
    """

    look: Look
    pids: Sequence[int] = ()
    limits: MemoryLimits = MemoryLimits()
    name: str = "memory"
    tables: tuple[type[Row], ...] = (MemoryRegion, MemoryMatch)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows by process id; nothing on a target that is not live."""
        if target.kind == "live":
            yield from search_memory(self.look, self.pids, self.limits, coverage)


def search_memory(
    look: Look, pids: Sequence[int], limits: MemoryLimits, coverage: Coverage, proc: bytes = procfs.PROC
) -> Iterator[Row]:
    """Search the memory of `pids` (none: of every process that `proc` shows) and yield regions and matches."""
    there = procfs.pids(proc)
    own = own_processes(proc)
    tally = _Tally(limits)
    for pid in sorted(set(pids)) or there:
        if pid not in there:
            coverage.miss(AREA, str(pid), "no-such-process")
        elif pid in own:
            coverage.skip("memory-of-hinomi-itself")
        else:
            yield from _guarded(look, proc + b"/%d/" % pid, pid, tally, coverage)
    tally.tell(coverage)


@dataclass
class _Tally:
    """What has been read, and what has not and why."""

    limits: MemoryLimits
    read: int = 0
    left: Counter[str] = field(default_factory=Counter)  # bytes by reason
    refused: int = 0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.limits.spent()

    def deadline(self) -> float:
        """Return when the process that is begun now has had its time."""
        limits = self.limits
        return min(limits.spent() + limits.seconds, self.began + limits.total_seconds)

    def tell(self, coverage: Coverage) -> None:
        coverage.count("memory-bytes", self.read)
        for reason in ("clean-file-pages", "device", "not-resident"):
            if self.left[reason]:
                coverage.skip(f"memory-bytes-{reason}", self.left[reason])
        for reason in ("swapped", "budget", "timeout", "unreadable"):
            if self.left[reason]:
                coverage.miss(AREA, reason, reason, f"{self.left[reason]} bytes")
        if self.refused:
            coverage.miss(AREA, "processes", "permission", f"{self.refused} processes")


def _guarded(look: Look, base: bytes, pid: int, tally: _Tally, coverage: Coverage) -> Iterator[Row]:
    try:
        stat = procfs.parse_stat(procfs.read(base + b"stat", procfs.MAX_STATUS))
        if stat.flags & procfs.PF_KTHREAD:
            return
        rows = _Process(look, base, pid, path_text(stat.name), tally, coverage).rows()
        still = procfs.parse_stat(procfs.read(base + b"stat", procfs.MAX_STATUS)).start == stat.start
    except PermissionError:
        tally.refused += 1
    except (FileNotFoundError, ProcessLookupError, ValueError):
        coverage.miss(AREA, str(pid), "vanished", transient=True)
    except OSError as error:
        coverage.miss(AREA, str(pid), "unreadable", error.strerror or "")
    else:
        if still:
            coverage.count("processes-memory")
            yield from rows
        else:
            coverage.miss(AREA, str(pid), "vanished", transient=True)


@dataclass
class _Process:
    """One process under search."""

    look: Look
    base: bytes
    pid: int
    name: str
    tally: _Tally
    coverage: Coverage
    budget: int = 0
    until: float = 0.0

    @property
    def is_late(self) -> bool:
        """Whether this process has had its time."""
        return self.tally.limits.spent() >= self.until

    def rows(self) -> list[Row]:
        """Return the regions with patterns, each followed by its matches; nothing of a process without memory."""
        described = list(describe(self.base))
        rows: list[Row] = []
        self.budget, self.until = self._allowance(), self.tally.deadline()
        if not described:
            return rows
        with ProcessMemory(self.base, self.pid) as memory:
            for one in sorted(described, key=_telling_first):
                if len(rows) < MAX_ROWS:
                    rows += self._region(memory, one)
        return rows

    def _allowance(self) -> int:
        limits = self.tally.limits
        return min(limits.per_process, limits.total - self.tally.read)

    def _region(self, memory: ProcessMemory, described: Described) -> list[Row]:
        mapping = described.mapping
        if described.device or mapping.kind == "special":
            self.tally.left["device"] += mapping.size
            return []
        if self.is_late:
            self.tally.left["timeout"] += described.resident
            return []
        region = _Region(self, memory, described)
        found = region.search()
        if not found:
            return []
        self.coverage.count("memory-regions-with-patterns")
        row = region_row(
            self.pid, self.name, mapping, None, resident=region.resident * PAGE, private=region.private * PAGE
        )
        return [row, *(_match(self.pid, self.name, mapping, one) for one in found)]


def _telling_first(described: Described) -> tuple[int, int]:
    """Order regions so that a bounded search sees first what no file shows: code, then what has lost its file."""
    mapping = described.mapping
    if mapping.executable and mapping.kind != "file":
        return 0, mapping.start
    return (1 if mapping.kind in ("memfd", "deleted", "shared") else 2), mapping.start


@dataclass
class _Region:
    """One mapping under search, window by window."""

    process: _Process
    memory: ProcessMemory
    described: Described
    resident: int = 0  # pages
    private: int = 0
    swapped: int = 0
    late: int = 0  # bytes left because the process had had its time

    @property
    def mapping(self) -> Mapping:
        """The mapping itself."""
        return self.described.mapping

    def search(self) -> list[Found]:
        """Return the patterns, each once, with offsets from the region's beginning."""
        once: dict[tuple[str, str, int], Found] = {}
        tail, end, seen = b"", 0, 0
        for start, entries in self._windows():
            if self.process.is_late:
                self.late = max(0, self.described.resident - seen)
                break
            seen += PAGE * sum(1 for entry in entries if entry & PRESENT)
            data = self._window(start, entries)
            if start != end:
                tail = b""
            if data:
                base = start - self.mapping.start - len(tail)
                for found in self.process.look.search(tail + data):
                    at = base + found.offset
                    once.setdefault((found.rule, found.pattern, at), found._replace(offset=at))
            end = start + len(entries) * PAGE
            tail = data[-OVERLAP:] if start + len(data) == end else b""
        self._tell()
        return list(once.values())[:MAX_ROWS]

    def _windows(self) -> Iterator[tuple[int, Sequence[int]]]:
        """Yield address and page entries of each window that holds anything, until all that is resident was seen.

        Address space may be reserved by the terabyte: it is passed over in large steps.
        """
        last = min(self.mapping.end, self.mapping.start + MAX_SPAN)
        for start in range(self.mapping.start, last, STRIDE):
            if self.resident * PAGE >= self.described.resident and self.swapped * PAGE >= self.described.swapped:
                return
            entries = self.memory.page_entries(start, (min(start + STRIDE, last) - start) // PAGE)
            self._count(entries)
            for at in range(0, len(entries), WINDOW // PAGE):
                window = entries[at : at + WINDOW // PAGE]
                if any(window):
                    yield start + at * PAGE, window

    def _window(self, start: int, entries: Sequence[int]) -> bytes:
        """Return a window from its beginning to its last page that was read; pages that were not are zeros."""
        runs = list(_runs(entries, self._wanted()))
        if not runs:
            return b""
        buffer = bytearray(runs[-1][1] * PAGE)
        for first, last in runs:
            self._read(buffer, start, first, last)
        return bytes(buffer)

    def _wanted(self) -> tuple[int, int]:
        """Return which bits a page's entry must have of which: in memory, and of a file only what was changed."""
        as_in_file = self.mapping.kind in _AS_IN_FILE
        return (PRESENT | OF_FILE, PRESENT) if as_in_file else (PRESENT, PRESENT)

    def _count(self, entries: Sequence[int]) -> None:
        self.resident += sum(1 for entry in entries if entry & PRESENT)
        self.private += sum(1 for entry in entries if entry & (PRESENT | OF_FILE) == PRESENT)
        self.swapped += sum(1 for entry in entries if entry & (PRESENT | SWAPPED) == SWAPPED)

    def _tell(self) -> None:
        left = self.process.tally.left
        left["swapped"] += self.swapped * PAGE
        left["timeout"] += self.late
        left["not-resident"] += max(0, self.mapping.size - (self.resident + self.swapped) * PAGE)
        if self.mapping.size > MAX_SPAN:
            left["budget"] += max(0, self.described.resident - self.resident * PAGE)
        if self.mapping.kind in _AS_IN_FILE:
            left["clean-file-pages"] += (self.resident - self.private) * PAGE

    def _read(self, buffer: bytearray, start: int, first: int, last: int) -> None:
        size = (last - first) * PAGE
        allowed = max(0, min(size, self.process.budget))
        left = self.process.tally.left
        left["budget"] += size - allowed
        if not allowed:
            return
        read = self.memory.read_into if self.mapping.permissions[:1] == b"r" else self.memory.read_guarded
        got = read(buffer, first * PAGE, start + first * PAGE, allowed)
        left["unreadable"] += allowed - got
        self.process.budget -= allowed
        self.process.tally.read += got


def _runs(entries: Sequence[int], wanted: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last + 1) of each run of pages whose entries have the wanted bits."""
    mask, value = wanted
    first: int | None = None
    for number, entry in enumerate(entries):
        if entry & mask == value:
            first = number if first is None else first
        elif first is not None:
            yield first, number
            first = None
    if first is not None:
        yield first, len(entries)


def _match(pid: int, name: str, mapping: Mapping, found: Found) -> MemoryMatch:
    return MemoryMatch(
        pid=pid, process=name, rule=found.rule, pattern=found.pattern, address=f"{mapping.start + found.offset:x}",
        region=f"{mapping.start:x}", offset=found.offset, length=found.length,
        permissions=os.fsdecode(mapping.permissions), path=path_text(mapping.path) if mapping.path else None,
        excerpt=found.excerpt,
    )  # fmt: skip
