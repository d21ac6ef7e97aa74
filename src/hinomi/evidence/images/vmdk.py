"""VMware disks: sparse extents, compressed ones of exported machines, and descriptors that list extents beside them.

Format: VMware's "Virtual Disk Format 5.0" technical note. A snapshot is read over the disk that it names as its parent,
where that lies beside it and still is the one it was taken of (its CID).
"""

from __future__ import annotations

import re
import struct
import zlib

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import SliceSource, Source
from hinomi.evidence.images.beside import Beside
from hinomi.evidence.images.disk import ZeroSource, read_in_steps
from hinomi.evidence.images.joined import JoinedSource
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

SECTOR = 512
MAX_DESCRIPTOR = 1 << 20
MAX_EXTENTS = 4096
MAX_DIRECTORY = 32 << 20
MAX_GRAIN = 2 << 20
MAX_CACHED = 64
_AT_END = 0xFFFFFFFFFFFFFFFF
_COMPRESSED, _ZERO_GRAINS = 0x10000, 0x4
_EXTENT = re.compile(rb'^\s*(?:RW|RDONLY|NOACCESS)\s+(\d+)\s+([A-Z]+)(?:\s+"([^"\n]*)")?(?:\s+(\d+))?', re.M)
_CID = re.compile(rb'^\s*CID\s*=\s*"?([0-9a-fA-F]+)', re.M)
_PARENT = re.compile(rb'^\s*parentCID\s*=\s*"?([0-9a-fA-F]+)', re.M)
_PARENT_NAME = re.compile(rb'^\s*parentFileNameHint\s*=\s*"([^"\n]+)"', re.M)
MAX_LAYERS = 32


def open_vmdk(source: Source, beside: Beside, layer: int = 0) -> Source:
    """Return the disk of a VMDK file; `ParseError` for damage, and for extents and parents that are not there."""
    if source.read_at(0, 4) == b"COWD":
        return EsxExtent(source)
    text = descriptor_of(source)
    below = _below(text, beside, layer)
    if source.read_at(0, 4) == b"KDMV":
        listed = _EXTENT.findall(text)
        return _joined(text, beside, source, below) if len(listed) > 1 else SparseExtent(source, below)
    return _joined(text, beside, None, below)


def descriptor_of(source: Source) -> bytes:
    """Return a disk's descriptor: a part of a sparse extent, or the file itself."""
    if source.read_at(0, 4) == b"KDMV":
        at, length = SparseExtent(source).descriptor
        return source.read_at(at, min(length, MAX_DESCRIPTOR))
    return source.read_at(0, min(source.size, MAX_DESCRIPTOR))


def _below(text: bytes, beside: Beside, layer: int) -> Source | None:
    """Return the disk that a snapshot was taken of; None for a disk that stands alone."""
    parent, name = _PARENT.search(text), _PARENT_NAME.search(text)
    if parent is None or parent[1].lower() in (b"ffffffff", b"0"):
        return None
    if layer >= MAX_LAYERS:
        raise BudgetError("depth")
    bare = re.split(rb"[/\\]", name[1])[-1] if name is not None else b""
    file = beside.open(bare) if bare != beside.name else None
    if file is None:
        raise ParseError("image.incomplete", cause=f"the disk {bare[:100]!r} below the snapshot is not beside it")
    own = _CID.search(descriptor_of(file))
    if own is not None and own[1].lower() != parent[1].lower():
        raise ParseError("image.incomplete", cause=f"the disk {bare[:100]!r} was changed since the snapshot was taken")
    return open_vmdk(file, beside, layer + 1)


def _joined(text: bytes, beside: Beside, own: Source | None, below: Source | None) -> Source:
    """Put the extents that a descriptor lists behind each other."""
    parts: list[Source] = []
    start = 0
    for sectors, kind, name, offset in _EXTENT.findall(text)[:MAX_EXTENTS]:
        size = int(sectors) * SECTOR
        under = SliceSource(below, start, size) if below is not None else None
        start += size
        if kind == b"ZERO":
            parts.append(under or ZeroSource(size))
            continue
        file = own if own is not None and name == beside.name else beside.open(name)
        if file is None:
            raise ParseError("image.incomplete", cause=f"extent {name[:100]!r} is not beside its descriptor")
        parts.append(_extent(kind, file, size, int(offset or 0) * SECTOR, under))
    if not parts:
        raise ParseError("image.damaged", cause="a VMDK descriptor without extents")
    return JoinedSource(parts)


def _extent(kind: bytes, file: Source, size: int, offset: int, below: Source | None) -> Source:
    if kind in (b"FLAT", b"VMFS"):
        part = SliceSource(file, offset, size)
        if part.size < size:
            raise ParseError("image.truncated", cause="a flat VMDK extent")
        return part
    if kind == b"SPARSE":
        return SparseExtent(file, below)
    if kind == b"VMFSSPARSE":
        return EsxExtent(file, below)
    raise ParseError("image.unsupported", cause=f"VMDK extent {kind[:20].decode('ascii', 'replace')}")


class _Grains:
    """A disk in grains found through two levels of tables of 32-bit sectors."""

    size: int
    _grain: int
    _zeros: bool
    _packed: bool
    _below: Source | None = None

    def __init__(self, source: Source, directory: int, entries: int, per: int) -> None:
        if entries * 4 > MAX_DIRECTORY or not 0 < per <= 1 << 16:
            raise ParseError("image.damaged", cause="VMDK grain directory")
        raw = source.read_at(directory * SECTOR, entries * 4)
        if len(raw) < entries * 4:
            raise ParseError("image.truncated", cause="VMDK grain directory")
        self._source = source
        self._per = per
        self._directory = struct.unpack(f"<{entries}I", raw)
        self._tables: Kept[bytes] = Kept(MAX_CACHED)
        self._plain: Kept[bytes] = Kept(MAX_CACHED)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes; grains that were never written are the disk's below, or zeros."""
        return read_in_steps(self.size, self._grain, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        table, at = divmod(index, self._per)
        place = self._directory[table] if table < len(self._directory) else 0
        entries = self._tables.get(place, lambda: self._source.read_at(place * SECTOR, 4 * self._per)) if place else b""
        sector = int.from_bytes(entries[at * 4 : at * 4 + 4], "little")
        if not sector and self._below is not None:
            return self._below.read_at(index * self._grain + inside, number).ljust(number, b"\0")
        if not sector or (self._zeros and sector == 1):
            return bytes(number)
        if self._packed:
            return self._plain.get(sector, lambda: self._unpack(sector))[inside : inside + number]
        return self._source.read_at(sector * SECTOR + inside, number)

    def _unpack(self, sector: int) -> bytes:
        head = self._source.read_at(sector * SECTOR, 12)
        size = int.from_bytes(head[8:12], "little")
        if size > 2 * MAX_GRAIN:
            raise ParseError("image.damaged", cause="VMDK grain")
        try:
            raw = self._source.read_at(sector * SECTOR + 12, size)
            return zlib.decompressobj().decompress(raw, self._grain).ljust(self._grain, b"\0")
        except zlib.error as error:
            raise ParseError("image.damaged", cause="VMDK grain") from error


class SparseExtent(_Grains):
    """A hosted sparse extent, also in its compressed, stream-optimised form."""

    def __init__(self, source: Source, below: Source | None = None) -> None:
        """Read the header (or the footer, where the header points there) and the grain directory."""
        self._below = below
        head = source.read_at(0, SECTOR)
        if head[56:64] == _AT_END.to_bytes(8, "little"):
            head = source.read_at(source.size - 2 * SECTOR, SECTOR)
        if len(head) < SECTOR or head[:4] != b"KDMV":
            raise ParseError("image.truncated", cause="VMDK header")
        flags, capacity, grain, at, length, per, _, directory = struct.unpack_from("<IQQQQIQQ", head, 8)
        if not 1 <= grain <= MAX_GRAIN // SECTOR or not per:
            raise ParseError("image.damaged", cause="VMDK header")
        self.size = capacity * SECTOR
        self.descriptor = at * SECTOR, length * SECTOR
        self._grain = grain * SECTOR
        self._zeros = bool(flags & _ZERO_GRAINS)
        self._packed = bool(flags & _COMPRESSED)
        super().__init__(source, directory, -(-capacity // (grain * per)), per)


class EsxExtent(_Grains):
    """A sparse extent of ESX ("COWD")."""

    _zeros = _packed = False

    def __init__(self, source: Source, below: Source | None = None) -> None:
        """Read the header and the grain directory."""
        self._below = below
        head = source.read_at(0, 32)
        if len(head) < 32:
            raise ParseError("image.truncated", cause="VMDK header")
        capacity, grain, directory, entries = struct.unpack_from("<IIII", head, 12)
        if not 1 <= grain <= MAX_GRAIN // SECTOR:
            raise ParseError("image.damaged", cause="VMDK header")
        self.size = capacity * SECTOR
        self._grain = grain * SECTOR
        super().__init__(source, directory, entries, 4096)
