"""FAT12, FAT16 and FAT32 as a tree, read in place. Format: Microsoft's FAT specification 1.03."""

from __future__ import annotations

import calendar
import struct
from collections.abc import Mapping
from functools import partial
from threading import Lock

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.images.tree import Node, Notes
from hinomi.model.errors import ParseError

MAX_CHAIN = 1 << 20
MAX_FOLDER = 16 << 20
MAX_FOLDERS = 100_000
FILES = 1 << 32  # numbers of files, beyond those of clusters
_LONG, _VOLUME, _DIRECTORY = 0x0F, 0x08, 0x10


class FatTree:
    """A FAT file system (implements `Tree`). It knows no owners and modes: files are 0644 of root."""

    kind = "fat"

    def __init__(self, source: Source) -> None:
        """Read the boot sector; `ParseError` where it makes no sense."""
        self.source = source
        self.notes = Notes()
        head = source.read_at(0, 512)
        if len(head) < 512:
            raise ParseError("image.truncated", cause="FAT boot sector")
        sector, per, reserved, copies, roots, few = struct.unpack_from("<HBHBHH", head, 11)
        fat_size = int.from_bytes(head[22:24], "little") or int.from_bytes(head[36:40], "little")
        total = few or int.from_bytes(head[32:36], "little")
        if sector not in (512, 1024, 2048, 4096) or not per or not fat_size or not copies:
            raise ParseError("image.damaged", cause="FAT boot sector")
        root_sectors = -(-roots * 32 // sector)
        first = reserved + copies * fat_size + root_sectors
        clusters = max(0, total - first) // per
        self.cluster = sector * per
        self._data = first * sector
        self._bits = 12 if clusters < 4085 else 16 if clusters < 65525 else 32
        self._fat = reserved * sector
        self._clusters = clusters
        self._root_at = (reserved + copies * fat_size) * sector
        self._root_size = roots * 32
        self._folders: dict[int, dict[bytes, Node]] = {}
        self._numbers = 1
        self._lock = Lock()
        start = int.from_bytes(head[44:48], "little") if not roots else 0
        self.root = Node("directory", 0o755, inode=1, size=start)

    def children(self, node: Node) -> Mapping[bytes, Node]:
        """Return a folder's entries by name."""
        with self._lock:
            if node.inode not in self._folders:
                if len(self._folders) > MAX_FOLDERS:
                    raise ParseError("image.budget", cause="too many folders")
                self._folders[node.inode] = self._list(node)
            return self._folders[node.inode]

    def _list(self, node: Node) -> dict[bytes, Node]:
        if node.inode == 1 and self._root_size:
            data = self.source.read_at(self._root_at, self._root_size)
        else:
            content = node.content() if node.content else self._chain(node.size, MAX_FOLDER)
            data = content.read_at(0, MAX_FOLDER)
        found: dict[bytes, Node] = {}
        long: list[bytes] = []
        for at in range(0, len(data) - 31, 32):
            entry = data[at : at + 32]
            if not entry[0]:
                break
            if entry[0] == 0xE5:
                long = []
            elif entry[11] & 0x3F == _LONG:
                long.insert(0, entry[1:11] + entry[14:26] + entry[28:32])
            else:
                name = _long_name(long) or _short_name(entry)
                long = []
                if not entry[11] & _VOLUME and name not in (b".", b"..") and b"/" not in name:
                    found[name] = self._node(entry)
        return found

    def _node(self, entry: bytes) -> Node:
        self._numbers += 1
        start = int.from_bytes(entry[26:28], "little")
        if self._bits == 32:
            start |= int.from_bytes(entry[20:22], "little") << 16
        folder = bool(entry[11] & _DIRECTORY)
        size = int.from_bytes(entry[28:32], "little")
        node = Node("directory" if folder else "file", 0o755 if folder else 0o644)
        node.inode = start if folder else FILES + self._numbers  # a folder is its place: one inside itself shows
        node.size = 0 if folder else size
        node.mtime = _time(entry[24:26], entry[22:24])
        node.content = partial(self._chain, start, MAX_FOLDER if folder else size, whole=folder)
        return node

    def _chain(self, start: int, size: int, whole: bool = True) -> Source:
        """Return the content that begins at a cluster; folders end where their chain does."""
        clusters: list[int] = []
        seen: set[int] = set()
        most = -(-size // self.cluster)
        at = start
        while 2 <= at < self._clusters + 2 and len(clusters) < most:
            if at in seen or len(seen) > MAX_CHAIN:
                raise ParseError("image.damaged", cause="FAT chain")
            seen.add(at)
            clusters.append(at)
            at = self._next(at)
        length = len(clusters) * self.cluster
        if not whole and length < size:
            raise ParseError("image.truncated", cause="FAT chain ends early")
        return _Clusters(self.source, self._data, self.cluster, clusters, min(size, length))

    def _next(self, cluster: int) -> int:
        if self._bits == 12:
            pair = int.from_bytes(self.source.read_at(self._fat + cluster * 3 // 2, 2), "little")
            return pair >> 4 if cluster & 1 else pair & 0xFFF
        width = self._bits // 8
        raw = int.from_bytes(self.source.read_at(self._fat + cluster * width, width), "little")
        return raw & 0x0FFFFFFF


class _Clusters:
    """A chain of clusters as a source."""

    def __init__(self, source: Source, data: int, step: int, clusters: list[int], size: int) -> None:
        self.size = size
        self._source, self._data, self._step, self._clusters = source, data, step, clusters

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes, cluster by cluster."""
        return read_in_steps(self.size, self._step, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        return self._source.read_at(self._data + (self._clusters[index] - 2) * self._step + inside, number)


def _long_name(parts: list[bytes]) -> bytes:
    text = b"".join(parts).decode("utf-16-le", "replace")
    return text.split("\0")[0].rstrip("\uffff").encode("utf-8", "replace")


def _short_name(entry: bytes) -> bytes:
    base, ext = entry[:8].rstrip(), entry[8:11].rstrip()
    base = base.lower() if entry[12] & 0x08 else base
    ext = ext.lower() if entry[12] & 0x10 else ext
    return base + (b"." + ext if ext else b"")


def _time(date: bytes, clock: bytes) -> float:
    d, c = int.from_bytes(date, "little"), int.from_bytes(clock, "little")
    try:
        parts = (1980 + (d >> 9), max(1, d >> 5 & 15), max(1, d & 31), c >> 11, c >> 5 & 63, (c & 31) * 2)
        return float(calendar.timegm((*parts, 0, 0, 0)))
    except (ValueError, OverflowError):
        return 0.0
