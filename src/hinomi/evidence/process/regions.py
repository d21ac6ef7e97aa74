"""Executable memory that no intact package stands for: what code a process runs beside what it was shipped with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hinomi.evidence.process.maps import Mapping
from hinomi.model.tables.processes import MemoryRegion
from hinomi.model.text import path_text

MAX_HEADERS = 256  # regions whose first bytes are read, per process
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


def region_row(
    pid: int,
    name: str,
    mapping: Mapping,
    state: str | None,
    *,
    elf: bool = False,
    resident: int | None = None,
    private: int | None = None,
) -> MemoryRegion:
    """Return the row of one mapping."""
    return MemoryRegion(
        pid=pid, process=name, address=f"{mapping.start:x}", size=mapping.size,
        permissions=mapping.permissions.decode("ascii", "replace"), kind=mapping.kind,
        path=path_text(mapping.path) if mapping.path else None, file_offset=mapping.offset, package_state=state,
        resident=resident, private_dirty=private, elf=elf,
    )  # fmt: skip
