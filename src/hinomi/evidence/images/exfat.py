"""exFAT as a tree, read in place. Format: Microsoft's exFAT specification 1.00."""

from __future__ import annotations

import calendar
import struct
from collections.abc import Iterator
from functools import partial

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.runs import Run, RunSource
from hinomi.evidence.images.tree import Node
from hinomi.model.errors import ParseError

MAX_CHAIN = 1 << 20  # clusters of one chain
MAX_FOLDER = 256 << 20  # bytes, as the specification has it
STEP = 1 << 20
FILES = 1 << 32  # numbers of files, beyond those of clusters
_ENTRY = 32
_FILE, _STREAM, _NAME = 0x85, 0xC0, 0xC1  # types of directory entries; without the highest bit, one that was deleted
_DIRECTORY = 0x10
_CONTIGUOUS = 0x02  # the clusters follow each other, and the table has nothing of them


class ExfatTree(LazyTree):
    """An exFAT file system. It knows no owners and modes: files are 0644 of root."""

    kind = "exfat"

    def __init__(self, source: Source) -> None:
        """Read the boot sector; `ParseError` where it makes no sense."""
        super().__init__(source)
        head = source.read_at(0, 512)
        if len(head) < 512:
            raise ParseError("image.truncated", cause="exFAT boot sector")
        table, table_size, heap, clusters, root = struct.unpack_from("<5I", head, 80)
        sector, per, tables = head[108:111]
        if not 9 <= sector <= 12 or sector + per > 25 or tables not in (1, 2) or not 2 <= root < clusters + 2:
            raise ParseError("image.damaged", cause="exFAT boot sector")
        second = tables == 2 and head[106] & 1
        self._table: int = (table + table_size * second) << sector
        self._heap: int = heap << sector
        self._cluster = 1 << (sector + per)
        self._clusters: int = clusters
        self.root = Node("directory", 0o755, inode=root)
        self.root.content = partial(self._root_content, root)

    # --- folders --------------------------------------------------------------------------------------------------

    def _list(self, node: Node) -> dict[bytes, Node]:
        if node.content is None:
            raise ParseError("image.damaged", cause="a folder without clusters")
        content = node.content()
        self._listing.spend(content.size)
        data = b"".join(content.read_at(at, STEP) for at in range(0, content.size, STEP))
        found: dict[bytes, Node] = {}
        for at, entries in _sets(data):
            name = _name(entries)
            if _checksum(entries) != int.from_bytes(entries[2:4], "little"):
                self.notes.miss(name.decode("utf-8", "replace"), "damaged", "checksum of a directory entry")
            self._enter(found, name, partial(self._node, entries, content, at))
        return found

    def _node(self, entries: bytes, folder: Source, at: int) -> Node:
        """Return the node of a set of entries; `at` is where in its folder it stands."""
        attributes = int.from_bytes(entries[4:6], "little")
        stream = entries[_ENTRY : 2 * _ENTRY]
        if stream[0] != _STREAM:
            raise ParseError("image.damaged", cause="a file without its stream")
        valid, start, size = (int.from_bytes(stream[a:b], "little") for a, b in ((8, 16), (20, 24), (24, 32)))
        is_folder = bool(attributes & _DIRECTORY)
        if size > self._clusters * self._cluster or (is_folder and size > MAX_FOLDER):
            raise ParseError("image.damaged", cause="larger than can be")
        node = Node("directory" if is_folder else "file", 0o755 if is_folder else 0o644)
        place = folder.place_of(at) if isinstance(folder, RunSource) else None
        node.inode = start if is_folder else FILES + (place or at) // _ENTRY  # a folder is its place: loops show
        node.size = 0 if is_folder else size
        node.mtime = _time(entries[12:16], entries[21], entries[23])
        node.btime = _time(entries[8:12], entries[20], entries[22])
        node.content = partial(self._content, start, size, size if is_folder else min(valid, size), stream[1])
        return node

    # --- content --------------------------------------------------------------------------------------------------

    def _content(self, start: int, size: int, written: int, flags: int) -> Source:
        """Return a content of `size` bytes, of which those behind the `written` ones are zeros."""
        if not written:
            return RunSource(self.source, (), size)
        if flags & _CONTIGUOUS:
            if not 2 <= start <= self._clusters + 2 - -(-written // self._cluster):
                raise ParseError("image.damaged", cause="exFAT clusters outside the volume")
            return RunSource(self.source, [Run(0, written, self._place(start))], size)
        clusters = list(self._chain(start, -(-written // self._cluster)))
        if len(clusters) * self._cluster < written:
            raise ParseError("image.truncated", cause="exFAT chain ends early")
        return RunSource(self.source, self._runs(clusters, written), size)

    def _root_content(self, start: int) -> Source:
        """The root has no entry that tells its size: it ends where its chain does."""
        clusters = list(self._chain(start, MAX_FOLDER // self._cluster))
        size = len(clusters) * self._cluster
        return RunSource(self.source, self._runs(clusters, size), size)

    def _runs(self, clusters: list[int], size: int) -> Iterator[Run]:
        step = self._cluster
        for index, cluster in enumerate(clusters):
            yield Run(index * step, min(step, size - index * step), self._place(cluster))

    def _chain(self, start: int, most: int) -> Iterator[int]:
        """Yield at most so many clusters of a chain."""
        seen: set[int] = set()
        at = start
        while 2 <= at < self._clusters + 2 and len(seen) < most:
            if at in seen or len(seen) >= MAX_CHAIN:
                raise ParseError("image.damaged", cause="exFAT chain")
            seen.add(at)
            yield at
            at = int.from_bytes(self.source.read_at(self._table + 4 * at, 4), "little")

    def _place(self, cluster: int) -> int:
        return self._heap + (cluster - 2) * self._cluster


def _sets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (where it begins, the whole of it) of each set of entries that is a file's or folder's."""
    at = 0
    while at + _ENTRY <= len(data) and data[at]:
        more = data[at + 1] if data[at] == _FILE else 0
        if data[at] == _FILE:
            yield at, data[at : at + _ENTRY * (1 + more)].ljust(2 * _ENTRY, b"\0")
        at += _ENTRY * (1 + more)


def _name(entries: bytes) -> bytes:
    parts = [entries[at + 2 : at + _ENTRY] for at in range(2 * _ENTRY, len(entries), _ENTRY) if entries[at] == _NAME]
    return b"".join(parts)[: 2 * entries[_ENTRY + 3]].decode("utf-16-le", "replace").encode("utf-8", "replace")


def _checksum(entries: bytes) -> int:
    """Return the check sum of a set of entries, its own field left out (section 6.3.3)."""
    value = 0
    for at, byte in enumerate(entries):
        if at not in (2, 3):
            value = (value << 15 & 0x8000 | value >> 1) + byte & 0xFFFF
    return value


def _time(stamp: bytes, hundredths: int, zone: int) -> float:
    """Return seconds since 1970 UTC; where no zone is told, the local time is taken for UTC."""
    told = int.from_bytes(stamp, "little")
    clock = (told >> 11 & 31, told >> 5 & 63, (told & 31) * 2)
    try:
        seconds = calendar.timegm(
            (1980 + (told >> 25), max(1, told >> 21 & 15), max(1, told >> 16 & 31), *clock, 0, 0, 0)
        )
    except (ValueError, OverflowError):
        return 0.0
    quarters = (zone & 0x7F) - 0x80 if zone & 0x40 else zone & 0x7F
    return seconds + min(hundredths, 199) / 100 - (quarters * 900 if zone & 0x80 else 0)
