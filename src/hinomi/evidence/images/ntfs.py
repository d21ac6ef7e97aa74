"""NTFS as a tree, read in place: folders, compressed and sparse files, links, and alternate streams as `name:stream`.

Format: as for `ntfsrecord`; reparse points after [MS-FSCC] 2.1.2. The journal is not replayed; that is said where the
volume was in use. NTFS's rights are no modes: files are 0644, folders 0755, of root. Its own files (`$MFT`, ...) are
counted, not shown.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial

from hinomi.evidence.archives.source import BytesSource, Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.ntfslinks import INTERIX, link_target, reparse_kind
from hinomi.evidence.images.ntfspacked import PackedRuns
from hinomi.evidence.images.ntfsrecord import (
    COMPRESSED,
    DATA,
    ENCRYPTED,
    INDEX,
    INDEX_ROOT,
    LIST,
    NAME,
    REPARSE,
    STANDARD,
    VOLUME,
    Attribute,
    Record,
    fixed,
    read_record,
    runs_of,
)
from hinomi.evidence.images.ntfswof import STREAM, WofSource, wof_method
from hinomi.evidence.images.runs import RunSource
from hinomi.evidence.images.tree import Node
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

ROOT, SYSTEM = 5, 16  # the root's record; those below 16 are the file system's own
EPOCH = 11_644_473_600  # seconds from 1601 to 1970
MAX_LIST = 1 << 20
MAX_STREAMS = 1000
STREAM_SHIFT = 48  # an alternate stream's number: its file's, and which one in the high bits
_INDEX_NAME = "$I30".encode("utf-16-le")
_DOS_NAME = 2
_DIRTY = 1
_HAS_BELOW = 1


class NtfsTree(LazyTree):
    """An NTFS volume (implements `Tree`)."""

    kind = "ntfs"

    def __init__(self, source: Source) -> None:
        """Read the boot sector, the table's own record and the root; `ParseError` where they are damaged."""
        super().__init__(source)
        boot = source.read_at(0, 512)
        if len(boot) < 512 or boot[3:11] != b"NTFS    ":
            raise ParseError("image.damaged", cause="no NTFS boot sector")
        sector = int.from_bytes(boot[11:13], "little")
        self._cluster = sector * _power(boot[13])
        self._record = _size(boot[64], self._cluster)
        if sector not in (512, 1024, 2048, 4096) or not 512 <= self._cluster <= 2 << 20 or self._record > 65536:
            raise ParseError("image.damaged", cause="NTFS boot sector")
        place = int.from_bytes(boot[48:56], "little") * self._cluster
        first = read_record(source.read_at(place, self._record))
        self._table: Source = self._source([a for a in first.attributes if a.type == DATA and not a.name])
        self._records: Kept[list[Attribute]] = Kept(4096)
        self._table = self._source([a for a in self._attributes(0) if a.type == DATA and not a.name])
        self._say_if_in_use()
        self.root = self.node(ROOT)
        self._need_folder()

    def _say_if_in_use(self) -> None:
        volume = next((a for a in self._attributes(3) if a.type == VOLUME), None)
        if volume is not None and (volume.value or b"")[10:11] and (volume.value or b"")[10] & _DIRTY:
            self.notes.miss("", "changed", "journal not replayed: the volume was in use")

    # --- records --------------------------------------------------------------------------------------------------

    def _read(self, number: int) -> Record:
        raw = self._table.read_at(number * self._record, self._record)
        if len(raw) < self._record:
            raise ParseError("image.damaged", cause=f"record {number} outside the table")
        return read_record(raw)

    def _attributes(self, number: int) -> list[Attribute]:
        return self._records.get(number, lambda: self._gather(self._read(number)))

    def _gather(self, record: Record) -> list[Attribute]:
        """Return a file's attributes, those in further records too."""
        listed = next((a for a in record.attributes if a.type == LIST), None)
        if listed is None:
            return record.attributes
        content = self._source([listed])
        found = [a for a in record.attributes if a.type != LIST]
        for number in sorted(_listed(content.read_at(0, min(content.size, MAX_LIST)))):
            try:
                further = self._read(number)
            except ParseError as error:
                self.notes.miss(f"record {number}", "damaged", error.cause)
                continue
            if further.base:
                found += further.attributes
        return found

    # --- nodes ----------------------------------------------------------------------------------------------------

    def node(self, number: int) -> Node:
        """Return a record as a node; `ParseError` where it is free or damaged."""
        record = self._read(number)
        attributes = self._attributes(number)
        node = Node("directory" if record.folder else "file", 0o755 if record.folder else 0o644, inode=number)
        names = [a.value for a in attributes if a.type == NAME and a.value and len(a.value) >= 66]
        node.links = max(1, sum(name[65] != _DOS_NAME for name in names))
        standard = next((a.value for a in attributes if a.type == STANDARD and a.value), b"")
        if len(standard) >= 32:
            node.btime, node.mtime, node.ctime = (_time(standard[at : at + 8]) for at in (0, 8, 16))
        data = [a for a in attributes if a.type == DATA and not a.name]
        if not record.folder:
            node.size = _size_of(data)
            node.content = partial(self._source, data)
        self._take_links(node, attributes, standard)
        return node

    def _take_links(self, node: Node, attributes: list[Attribute], standard: bytes) -> None:
        """Make a link or a closed file of what its reparse point says."""
        raw = self._point(attributes)
        if raw:
            target = link_target(raw)
            if target is not None:
                node.kind, node.mode, node.link, node.size = "symlink", 0o777, target, len(target)
            elif node.kind == "file":
                node.content = self._kept_elsewhere(raw, node.size, [a for a in attributes if a.name == STREAM])
        elif node.kind == "file" and node.size <= 65536 and len(standard) >= 36 and standard[32] & 4:
            head = node.content().read_at(0, 65536) if node.content is not None else b""
            if head.startswith(INTERIX):
                node.link = head[8:].decode("utf-16-le", "replace").encode("utf-8", "replace")
                node.kind, node.mode, node.size = "symlink", 0o777, len(node.link)

    def _point(self, attributes: list[Attribute]) -> bytes:
        """Return a file's reparse point; empty where it has none."""
        point = next((a for a in attributes if a.type == REPARSE), None)
        return b"" if point is None else self._source([point]).read_at(0, 65536)

    def _kept_elsewhere(self, point: bytes, size: int, packed: list[Attribute]) -> Callable[[], Source]:
        """Return how a file is read whose data is not where it seems to be."""
        method = wof_method(point)
        if method is None or not packed:
            return partial(_closed, reparse_kind(point))
        return lambda: WofSource(self._source(packed), size, method)

    def _source(self, parts: list[Attribute]) -> Source:
        """Return an attribute's data from all its parts."""
        if not parts:
            return BytesSource(b"")
        first = min(parts, key=lambda part: part.first)
        if first.value is not None:
            return BytesSource(first.value)
        if first.flags & ENCRYPTED:
            raise ParseError("image.encrypted", cause="encrypted by the file system")
        runs = list(runs_of(parts, self._cluster))
        if first.flags & COMPRESSED and first.unit:
            return PackedRuns(self.source, runs, self._cluster << min(first.unit, 8), self._cluster, first.size)
        return _Filled(RunSource(self.source, runs, first.size), first.filled)

    # --- folders --------------------------------------------------------------------------------------------------

    def _list(self, node: Node) -> dict[bytes, Node]:
        attributes = [a for a in self._attributes(node.inode) if a.name == _INDEX_NAME]
        root = next((a.value for a in attributes if a.type == INDEX_ROOT and a.value), b"")
        if len(root) < 32:
            raise ParseError("image.damaged", cause="folder without index")
        size = int.from_bytes(root[8:12], "little")
        blocks = self._source([a for a in attributes if a.type == INDEX])
        found: dict[bytes, Node] = {}
        for number, sequence, name in self._names(root[16:], blocks, size):
            if number >= SYSTEM:
                self._enter(found, name, partial(self._live, number, sequence))
                if name in found:
                    self._enter_streams(found, name, number)
            elif number != ROOT:
                self.notes.skipped["image:ntfs-own-file"] += 1
        return found

    def _live(self, number: int, sequence: int) -> Node:
        if self._read(number).sequence != sequence:
            raise ParseError("image.damaged", cause=f"record {number} is of another file by now")
        return self.node(number)

    def _enter_streams(self, found: dict[bytes, Node], name: bytes, number: int) -> None:
        """Show alternate streams beside their file: what hides in them is content like any other."""
        streams: dict[bytes, list[Attribute]] = {}
        attributes = self._attributes(number)
        packed = wof_method(self._point(attributes)) is not None  # then one of them is the content, seen already
        for attribute in attributes:
            if packed and attribute.name == STREAM:
                continue
            if attribute.type == DATA and attribute.name and len(streams) < MAX_STREAMS:
                streams.setdefault(attribute.name, []).append(attribute)
        for index, (stream, parts) in enumerate(sorted(streams.items()), 1):
            node = Node("file", inode=index << STREAM_SHIFT | number, size=_size_of(parts), mtime=found[name].mtime)
            node.ctime, node.content = found[name].ctime, partial(self._source, parts)
            self._enter(found, name + b":" + _utf8(stream), lambda node=node: node)  # type: ignore[misc]

    def _names(self, root: bytes, blocks: Source, size: int) -> Iterator[tuple[int, int, bytes]]:
        """Yield (record, its sequence number, name) of a folder's index, a B-tree."""
        todo, seen = [root], set[int]()
        while todo:
            node = todo.pop()
            self._listing.spend(len(node))
            for entry in _entries(node):
                reference, _, length, flags = struct.unpack_from("<QHHH", entry)
                if flags & _HAS_BELOW:
                    below = int.from_bytes(entry[-8:], "little")
                    if below not in seen:
                        seen.add(below)
                        todo += self._index_block(blocks, below, size)
                key = entry[16 : 16 + length]
                if length >= 66 and key[65] != _DOS_NAME:
                    yield reference & (1 << 48) - 1, reference >> 48, _utf8(key[66 : 66 + 2 * key[64]])

    def _index_block(self, blocks: Source, number: int, size: int) -> list[bytes]:
        """Return a node of an index; its number counts clusters, or sectors where it is smaller than a cluster."""
        step = self._cluster if size >= self._cluster else 512
        try:
            return [fixed(blocks.read_at(number * step, size), b"INDX")[24:]]
        except ParseError as error:
            self.notes.miss(f"index block {number}", "damaged", error.cause)
            return []


class _Filled:
    """A source of which only the beginning was ever written."""

    def __init__(self, source: Source, filled: int) -> None:
        self.size = source.size
        self._source = source
        self._filled = filled

    def read_at(self, offset: int, length: int) -> bytes:
        if offset + length <= self._filled:
            return self._source.read_at(offset, length)
        return read_in_steps(self.size, 1 << 20, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        start = (index << 20) + inside
        real = max(0, min(number, self._filled - start))
        return (self._source.read_at(start, real) if real else b"").ljust(number, b"\0")


def _entries(node: bytes) -> Iterator[bytes]:
    first, total = struct.unpack_from("<II", node.ljust(8, b"\0"))
    at = first
    while at + 16 <= min(total, len(node)):
        length, flags = int.from_bytes(node[at + 8 : at + 10], "little"), node[at + 12]
        if length < 16 or at + length > len(node):
            raise ParseError("image.damaged", cause="index entry")
        yield node[at : at + length]
        if flags & 2:
            return
        at += length


def _listed(raw: bytes) -> set[int]:
    """Return the records that an attribute list names."""
    found: set[int] = set()
    at = 0
    while at + 26 <= len(raw):
        length = int.from_bytes(raw[at + 4 : at + 6], "little")
        if length < 26:
            break
        found.add(int.from_bytes(raw[at + 16 : at + 22], "little"))
        at += length
    return found


def _closed(what: str) -> Source:
    raise ParseError("image.unsupported", cause=what)


def _size_of(parts: list[Attribute]) -> int:
    return min(parts, key=lambda part: part.first).size if parts else 0


def _power(value: int) -> int:
    return value if value <= 128 else 1 << min(256 - value, 31)


def _size(value: int, cluster: int) -> int:
    return value * cluster if value < 128 else 1 << min(256 - value, 31)


def _utf8(name: bytes) -> bytes:
    return name.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")


def _time(raw: bytes) -> float:
    return int.from_bytes(raw, "little") / 1e7 - EPOCH
