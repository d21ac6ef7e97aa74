"""What went into a Go or Rust program: both carry the list of their libraries, or traces of it.

Go writes its module list into every program (package debug/buildinfo); Rust programs made with cargo-auditable carry
one as compressed JSON in `.dep-v0`, others name the source files of their crates in messages.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import NamedTuple
from urllib.parse import quote

from hinomi.evidence.elf.layout import Layout, Reader
from hinomi.evidence.native import compiled

MAX_LIST = 8 << 20  # bytes of one program's list
MAX_SEARCHED = 64 << 20
MAX_COMPONENTS = 20_000
GO_SECTION = ".go.buildinfo"
RUST_SECTION = ".dep-v0"
_GO_MAGIC = b"\xff Go buildinf:"
_LIST_BEGINS = bytes.fromhex("3077af0c9274080241e1c107e6d618e6")
_LIST_ENDS = bytes.fromhex("f932433186182072008242104116d8f2")
_GO_VERSION = re.compile(r"go(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)")
_CRATE = re.compile(
    rb"registry/src/[\w.-]{1,100}/([A-Za-z0-9_-]{1,100}?)-(\d{1,6}\.\d{1,6}\.\d{1,6}(?:[-+][\w.+-]{1,60})?)/"
)
_CRATE_MARK = b"registry/src/"
_WINDOW = 1 << 20


class Component(NamedTuple):
    """A library that a program was built from."""

    ecosystem: str  # go or crates.io
    name: str
    version: str

    @property
    def purl(self) -> str:
        """The package URL; Go's versions keep their `v` there."""
        if self.ecosystem == "go":
            prefix = "" if self.name == "stdlib" else "v"
            return f"pkg:golang/{quote(self.name, safe='/')}@{quote(prefix + self.version, safe='')}"
        return f"pkg:cargo/{quote(self.name, safe='')}@{quote(self.version, safe='')}"


def components(layout: Layout, read: Reader) -> Iterator[Component]:
    """Yield what the program says it was built from; nothing for programs of other languages."""
    if layout.section(GO_SECTION) is not None:
        yield from _go(layout, read)
    elif layout.section(RUST_SECTION) is not None:
        yield from _auditable(layout, read)


def _go(layout: Layout, read: Reader) -> Iterator[Component]:
    section = layout.section(GO_SECTION)
    assert section is not None
    data = read(section.offset, min(section.size, MAX_LIST))
    at = data.find(_GO_MAGIC)
    if at >= 0 and len(data) > at + 32 and data[at + 15] & 2:  # since Go 1.18 the texts follow the header
        version, rest = _counted(data, at + 32)
        yield from _standard_library(version)
        modules, _ = _counted(data, rest)
    else:  # older programs hold pointers there; the list itself has marks at both ends
        modules = _marked(layout, read)
    yield from _modules(modules)


def _counted(data: bytes, at: int) -> tuple[bytes, int]:
    """Return a text behind its length (an unsigned varint) and where it ends."""
    length, shift = 0, 0
    while at < len(data) and shift < 35:
        byte = data[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return data[at : at + length], at + length


def _standard_library(version: bytes) -> Iterator[Component]:
    found = _GO_VERSION.match(version[:100].decode("utf-8", "replace"))
    if found:
        yield Component("go", "stdlib", found[1])


def _marked(layout: Layout, read: Reader) -> bytes:
    """Return the module list between its marks, from wherever it lies in the read-only data."""
    for section in layout.sections:
        if not section.name.startswith((".rodata", ".data", ".noptrdata")):
            continue
        before = b""
        for offset in range(0, min(section.size, MAX_SEARCHED), _WINDOW):
            block = before + read(section.offset + offset, min(_WINDOW, section.size - offset))
            at = block.find(_LIST_BEGINS)
            if at >= 0:
                start = section.offset + offset - len(before) + at
                return read(start, MAX_LIST).partition(_LIST_ENDS)[0]
            before = block[-len(_LIST_BEGINS) :]
    return b""


def _modules(text: bytes) -> Iterator[Component]:
    """Read the lines `dep<TAB>module<TAB>version<TAB>sum`; a following `=>` line names what stood in its place."""
    found: list[Component] = []
    for line in text[16:-16].decode("utf-8", "replace").splitlines() if text[:16] == _LIST_BEGINS else ():
        word, _, rest = line.partition("\t")
        name, version = (*rest.split("\t"), "", "")[:2]
        if word == "=>" and found:
            found.pop()
        if word in ("mod", "dep", "=>") and name and version.startswith("v"):
            found.append(Component("go", name[:300], version[1:101]))
    return iter(found)


def _auditable(layout: Layout, read: Reader) -> Iterator[Component]:
    section = layout.section(RUST_SECTION)
    assert section is not None
    try:
        plain = zlib.decompressobj().decompress(read(section.offset, min(section.size, MAX_LIST)), MAX_LIST)
        packages = json.loads(plain)["packages"]
    except (zlib.error, ValueError, KeyError, TypeError, RecursionError):
        return
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict):
            continue
        name, version = package.get("name"), package.get("version")
        if isinstance(name, str) and isinstance(version, str) and name and version:
            yield Component("crates.io", name[:300], version[:100])


def crates_in(data: bytes) -> Iterator[Component]:
    """Yield the crates whose source files a program's read-only data names, as panic messages do."""
    if _names_crates(data):
        for found in _CRATE.finditer(data):
            yield Component("crates.io", found[1].decode(), found[2].decode())


def _names_crates(data: bytes) -> bool:
    search = _searcher()
    return (search is None or search(data)) and _CRATE_MARK in data


@cache
def _searcher() -> Callable[[bytes], bool] | None:
    """Return the compiled search for the mark: most programs are of other languages."""
    core = compiled("literals")
    return partial(core.any_in, core.prepared((_CRATE_MARK,))) if core is not None else None
