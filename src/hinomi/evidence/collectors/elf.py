"""Programs, libraries and kernel modules: what they are built from and what they carry.

An implant seldom looks like its neighbours: another compiler, no build id, static, stripped, an address in its data.
"""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.collector import ContentFile
from hinomi.evidence.elf import layout as elf
from hinomi.evidence.elf.build_info import MAX_COMPONENTS, Component, components, crates_in
from hinomi.evidence.elf.strings import Found, search
from hinomi.evidence.elf.symbols import is_static, is_stripped, read_symbols
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import Elf
from hinomi.model.tables.software import Library
from hinomi.model.text import path_text, printable

MAX_DATA = 16 << 20  # bytes searched for strings, per file
MAX_SECTIONS_LISTED = 300
_DATA_SECTIONS = (".rodata", ".data", ".lrodata", "__ksymtab_strings")


class ElfCollector:
    """Fills table `elf`, and `libraries` with what Go and Rust programs were built from."""

    name = "elf"
    tables: tuple[type[Row], ...] = (Elf, Library)

    def wants(self, entry: Entry, head: bytes) -> bool:
        """ELF files, by their first bytes."""
        return head.startswith(b"\x7fELF")

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield the program's row, then its libraries; damaged parts are a miss, and the row has what is left."""
        size = file.entry.size
        with file.open() as reader:

            def read(offset: int, length: int) -> bytes:
                if offset >= size or length <= 0:
                    return b""
                reader.seek(offset)
                return reader.read(min(length, size - offset))

            layout = elf.read_layout(read, size)
            parts = set(components(layout, read))
            row = _row(file, layout, read, parts)
        subject = printable(path_text(file.entry.path))
        for problem in dict.fromkeys(layout.problems):
            coverage.miss(self.name, subject, "damaged", problem)
        yield row
        yield from (_library(file, part) for part in sorted(parts)[:MAX_COMPONENTS])


def _row(file: ContentFile, layout: elf.Layout, read: elf.Reader, parts: set[Component]) -> Elf:
    """Return the row; crates that the searched data names are added to `parts`."""
    symbols = read_symbols(layout, read)
    found = Found()
    for offset, length in _data_places(layout):
        data = read(offset, length)
        search(data, found)
        parts.update(crates_in(data))
    return Elf(
        path=path_text(file.entry.path),
        sha256=file.sha256,
        bits=layout.bits,
        machine=layout.machine,
        type=layout.type,
        interpreter=elf.interpreter(layout, read),
        build_id=elf.build_id(layout, read),
        compiler=elf.compiler(layout, read),
        stripped=is_stripped(layout),
        static=is_static(layout),
        needed=list(symbols.needed),
        sections=[section.name for section in layout.sections[:MAX_SECTIONS_LISTED] if section.name],
        imports=list(symbols.imports),
        embedded_addresses=list(found.addresses),
        embedded_paths=list(found.paths),
        embedded_urls=list(found.urls),
        overlay_size=max(0, file.entry.size - layout.end),
    )


def _library(file: ContentFile, part: Component) -> Library:
    path = path_text(file.entry.path)
    return Library(
        path=path,
        container=path,
        ecosystem=part.ecosystem,
        name=part.name,
        version=part.version,
        state="present",
        purl=part.purl,
        why="the program's build information names it",
        sha256=file.sha256,
    )


def _data_places(layout: elf.Layout) -> list[tuple[int, int]]:
    """Return (offset, size) of what is searched: data sections; without sections, loaded segments, code last."""
    places = [(s.offset, s.size) for s in layout.sections if s.size and s.name.startswith(_DATA_SECTIONS)]
    if not places:
        loaded = [s for s in layout.segments if s.type == elf.PT_LOAD and s.size]
        places = [(s.offset, s.size) for s in sorted(loaded, key=lambda s: (s.flags & elf.PF_X, s.offset))]
    bounded, left = [], MAX_DATA
    for offset, size in places:
        if left <= 0:
            break
        bounded.append((offset, min(size, left)))
        left -= size
    return bounded


COLLECTOR = ElfCollector()
