"""What dissect opens, as trees and sources like any other: listed and read over its process, when asked for."""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import Any

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.tree import KINDS, Node
from hinomi.evidence.kept import Kept
from hinomi.evidence.outside import dissect
from hinomi.evidence.outside.dissect import Given, Reader, Way
from hinomi.model.errors import ParseError
from hinomi.model.text import path_text, printable

STEP = 256 << 10
LAYERED = frozenset({"fortios"})  # put together from several file systems: their inode numbers repeat


class ForeignTree(LazyTree):
    """A file system that dissect reads (implements `Tree`)."""

    def __init__(self, kind: str, reader: Reader, source: Source, given: Given) -> None:
        """Take the root; `ParseError` where what was told of it makes no sense."""
        super().__init__(source)
        self.kind = kind
        self._reader = reader
        self._given = given
        self._ways: dict[int, Way] = {}  # of folders
        self.root = self._node((), given.root or [])
        self._need_folder()

    def _list(self, node: Node) -> dict[bytes, Node]:
        way = self._ways[node.inode]
        entries, bad = self._reader.listing(self.source, self._given.number, way)
        self._listing.spend(64 * len(entries))
        for name, why in bad:
            self.notes.miss(printable(path_text(b"/".join((*way, name)))), "damaged", why)
        found: dict[bytes, Node] = {}
        for entry in entries:
            name = bytes.fromhex(str(entry[0]))
            self._enter(found, name, partial(self._node, (*way, name), entry))
        return found

    def _node(self, way: Way, told: list[Any]) -> Node:
        _, mode, uid, gid, size, mtime, ctime, btime, inode, links, link = told
        kind = KINDS.get(mode & 0o170000)
        if kind is None:
            raise ParseError("image.damaged", cause=f"mode {mode:o}")
        node = Node(kind, mode & 0o7777, uid, gid, max(0, size), float(mtime), float(ctime))
        node.btime = None if btime is None else float(btime)
        node.inode = _number_of(way) if self.kind in LAYERED else inode
        node.links = max(1, links)
        node.link = bytes.fromhex(link) if link is not None else None
        if kind == "directory":
            self._ways.setdefault(node.inode, way)
        elif kind == "file":
            node.content = partial(_ForeignSource, self._reader, self.source, self._given.number, way, node.size)
        return node


class _ForeignSource:
    """A file or volume that dissect reads."""

    def __init__(self, reader: Reader, image: Source, number: int, way: Way, size: int) -> None:
        self.size = size
        self._reader = reader
        self._image = image
        self._number = number
        self._way = way
        self._steps: Kept[bytes] = Kept(32)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes."""
        return read_in_steps(self.size, STEP, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        return self._steps.get(index, lambda: self._step(index))[inside : inside + number]

    def _step(self, index: int) -> bytes:
        start = index * STEP
        return self._reader.read(self._image, self._number, self._way, start, min(STEP, self.size - start))


def open_foreign(kind: str, source: Source) -> list[tuple[str, Source | ForeignTree | None]]:
    """Return what is in an image by name; None is what stays closed in it, and why is its name.

    Raises `ParseError` where nothing is, or where no dissect was asked for.
    """
    reader = dissect.reader()
    if reader is None:
        raise dissect.why_closed(kind)
    found: list[tuple[str, Source | ForeignTree | None]] = []
    for given in reader.open(kind, source):
        if given.root is not None:
            found.append((given.name, ForeignTree(kind, reader, source, given)))
        elif kind in dissect.VOLUMES:
            found.append((given.name, _ForeignSource(reader, source, given.number, (), given.size)))
        else:
            found.append((given.name, None))
    return found


def _number_of(way: Way) -> int:
    """Return a number for a place: the same in every process, positive as inode numbers are."""
    return int.from_bytes(blake2b(b"/".join(way), digest_size=7).digest(), "big")
