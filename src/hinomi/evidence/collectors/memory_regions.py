"""Executable memory of unsure origin in the processes of this live host."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from hinomi.evidence.process import maps, procfs
from hinomi.evidence.process.maps import Mapping
from hinomi.evidence.process.pages import ProcessMemory
from hinomi.evidence.process.reader import ProcessReader
from hinomi.evidence.process.regions import MAX_HEADERS, block_starts, region_row, unsure_code
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.processes import MemoryRegion
from hinomi.model.text import path_text

_LOADED_BY_HAND = ("anonymous", "memfd", "shared")
MAX_REGIONS = 200  # rows per process; a just-in-time compiler has thousands of regions


class MemoryRegionsCollector:
    """One row per executable region that no intact package stands for.

    Code injected into a process, a library that was deleted after it was loaded, a program that never was a file: each
    must lie in executable memory somewhere.
    """

    name = "memory_regions"
    tables: tuple[type[Row], ...] = (MemoryRegion,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows by process id and address; nothing on a target that is not live."""
        if target.kind == "live":
            yield from memory_regions(target, coverage)


def memory_regions(target: Target, coverage: Coverage, proc: bytes = procfs.PROC) -> Iterator[MemoryRegion]:
    """Yield the regions of the processes that `proc` shows; whose map is refused is counted as one miss."""
    reader = ProcessReader(target, proc)
    refused = 0
    for pid in procfs.pids(proc):
        base = proc + b"/%d/" % pid
        try:
            mappings = list(maps.parse(procfs.maps_lines(base)))
            name = path_text(procfs.parse_stat(procfs.read(base + b"stat", procfs.MAX_STATUS)).name)
        except PermissionError:
            refused += 1
            continue
        except (OSError, ValueError):
            continue  # has ended, or is one that the processes collector tells of
        yield from _rows(reader, base, pid, name, mappings, coverage)
    if refused:
        coverage.miss("memory_regions", "maps", "permission", f"{refused} processes")


def _rows(
    reader: ProcessReader, base: bytes, pid: int, name: str, mappings: Sequence[Mapping], coverage: Coverage
) -> Iterator[MemoryRegion]:
    found = list(unsure_code(mappings, _exe(base), lambda path: reader.state(pid, path)))
    programs = _programs(base, mappings, [mapping for mapping, _ in found])
    for mapping, state in found[:MAX_REGIONS]:
        yield region_row(pid, name, mapping, state, elf=mapping.start in programs)
    if len(found) > MAX_REGIONS:
        coverage.skip("memory-regions-unlisted", len(found) - MAX_REGIONS)


def _exe(base: bytes) -> bytes | None:
    try:
        return procfs.parse_exe(os.readlink(base + b"exe")).path
    except OSError:
        return None


def _programs(base: bytes, mappings: Sequence[Mapping], found: Sequence[Mapping]) -> set[int]:
    """Return the first addresses of the regions that belong to an ELF program which is no file (any more)."""
    nameless = [m for m in found if m.kind in _LOADED_BY_HAND][:MAX_HEADERS]
    if not nameless:
        return set()
    starts = block_starts(mappings)
    try:
        with ProcessMemory(base) as memory:
            return {m.start for m in nameless if any(map(memory.begins_with_program, {m.start, starts[m.start]}))}
    except OSError:
        return set()


COLLECTOR = MemoryRegionsCollector()
