"""btrfs as a tree, read in place: all profiles that keep whole copies on one device, all its compressions.

Format: as for `btrfsdisk`. A log of changes that were not committed is said, not replayed.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from copy import copy
from functools import partial
from typing import NamedTuple

from hinomi.evidence.archives.blocks import zlib_block, zstd_block
from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.lzo import lzo_block
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.btrfsdisk import BtrfsDisk, Key
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.runs import read_pieces
from hinomi.evidence.images.tree import KINDS, Node, Notes
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

TOP, FIRST = 5, 256  # the tree of the top level, the number of every tree's root folder
MAX_EXTENTS = 1 << 20
MAX_EXTENT = 1 << 20  # bytes of a compressed extent; the kernel makes 128 KiB
MAX_LINK = 4096
SHIFT = 48  # a file's number within the image: which subvolume in the high bits, none for the top level
MAX_SUBVOLUMES = 1 << 14
_INODE, _XATTR, _INDEX, _EXTENT, _ROOT = 1, 24, 96, 108, 132
_LAST = (1 << 64) - 1
_INLINE, _PLANNED = 0, 2
_READ_ONLY = 1
_INODE_ITEM = struct.Struct("<16xQQ8xIIIIQQ40xqIqIqIqI")
_LZO_PAGE = 4096


class _Subvolume(NamedTuple):
    order: int  # in which it was met
    root: int  # where its tree begins
    kept: bool  # a read-only snapshot


class _Extent(NamedTuple):
    """A stretch of a file. `data` holds it where it is inline; `place` is None for holes."""

    start: int
    length: int
    place: int | None
    packed: int  # bytes on disk
    plain: int  # bytes unpacked
    inside: int  # where in the unpacked bytes the stretch begins
    method: int
    data: bytes


class BtrfsTree(LazyTree):
    """A btrfs file system from one of its subvolumes (implements `Tree`)."""

    kind = "btrfs"

    def __init__(self, source: Source) -> None:
        """Read the superblock, chunks and root; `ParseError` where they are damaged."""
        super().__init__(source)
        self._disk = BtrfsDisk(source)
        self._subvolumes: dict[int, _Subvolume] = {}
        self._order: list[int] = []
        self._left_out: set[bytes] = set()
        self._plain: Kept[bytes] = Kept(64)
        if self._disk.devices > 1:
            self.notes.miss("", "incomplete", f"one of {self._disk.devices} devices")
        if self._disk.log_root:
            self.notes.miss("", "changed", "log not replayed: the image was taken while in use")
        self.root = self.node(TOP, FIRST)
        self._need_folder()

    # --- inodes ---------------------------------------------------------------------------------------------------

    def node(self, subvolume: int, number: int) -> Node:
        """Return an inode of a subvolume as a node; `ParseError` where there is none."""
        volume = self._subvolume(subvolume)
        if number >> SHIFT:
            raise ParseError("image.damaged", cause=f"inode {number}")
        key = Key(number, _INODE, 0)
        raw = next((body for _, body in self._disk.items(volume.root, key, key)), b"")
        if len(raw) < 160:
            raise ParseError("image.damaged", cause=f"no inode {number}")
        (size, stored, links, uid, gid, mode, _, _, _, _, changed, changed_ns, modified, modified_ns,
         made, made_ns) = _INODE_ITEM.unpack_from(raw)  # fmt: skip
        kind = KINDS.get(mode & 0o170000)
        if kind is None:
            raise ParseError("image.damaged", cause=f"mode {mode:o}")
        node = Node(kind, mode & 0o7777, uid, gid, size, inode=volume.order << SHIFT | number)
        node.links, node.blocks = links, stored // 512
        node.mtime, node.ctime = modified + modified_ns / 1e9, changed + changed_ns / 1e9
        node.btime = made + made_ns / 1e9
        node.xattrs = partial(self._xattrs, volume, number)
        if kind == "symlink":
            content = self._content(volume, number, min(size, MAX_LINK))
            node.link = content.read_at(0, MAX_LINK)
        elif kind == "file":
            node.content = partial(self._content, volume, number, size)
        return node

    def _subvolume(self, number: int) -> _Subvolume:
        known = self._subvolumes.get(number)
        if known is None:
            known = self._subvolumes[number] = self._find_subvolume(number)
            self._order.append(number)
        return known

    def _find_subvolume(self, number: int) -> _Subvolume:
        if len(self._order) >= MAX_SUBVOLUMES:
            raise BudgetError("subvolumes")
        for _, body in self._disk.items(self._disk.root, Key(number, _ROOT, 0), Key(number, _ROOT, _LAST)):
            if len(body) >= 239:
                place, flags = int.from_bytes(body[176:184], "little"), int.from_bytes(body[208:216], "little")
                snapshot = bool(flags & _READ_ONLY and body[263:279].strip(b"\0"))
                return _Subvolume(len(self._order), place, snapshot)
        raise ParseError("image.damaged", cause=f"no subvolume {number}")

    def roots(self) -> list[tuple[bytes, BtrfsTree]]:
        """Return (name, tree) of the subvolumes at the top level: where distributions keep a system's root."""
        found: list[tuple[bytes, BtrfsTree]] = []
        for name, node in self.children(self.root).items():
            if node.inode >> SHIFT and node.inode & ((1 << SHIFT) - 1) == FIRST:
                tree = copy(self)
                tree.root, tree.notes = node, Notes()
                found.append((name, tree))
        return found

    def leave_out(self, name: bytes) -> None:
        """Show a subvolume at the top level no more: it is a tree of its own."""
        self._left_out.add(name)

    # --- folders --------------------------------------------------------------------------------------------------

    def children(self, node: Node) -> Mapping[bytes, Node]:
        """Return a folder's entries by name, without the subvolumes that are trees of their own."""
        found = super().children(node)
        if not self._left_out or node is not self.root:
            return found
        return {name: child for name, child in found.items() if name not in self._left_out}

    def _list(self, node: Node) -> dict[bytes, Node]:
        order, number = divmod(node.inode, 1 << SHIFT)
        subvolume = self._order[order]
        volume = self._subvolumes[subvolume]
        found: dict[bytes, Node] = {}
        for _, body in self._disk.items(volume.root, Key(number, _INDEX, 0), Key(number, _INDEX, _LAST)):
            self._listing.spend(len(body))
            target, kind = int.from_bytes(body[:8], "little"), body[8:9]
            name = body[30 : 30 + int.from_bytes(body[27:29], "little")]
            if kind != bytes([_ROOT]):
                self._enter(found, name, partial(self.node, subvolume, target))
            elif self._is_snapshot(target):
                self.notes.skip("image:snapshot", name)
            else:
                self._enter(found, name, partial(self.node, target, FIRST))
        return found

    def _is_snapshot(self, number: int) -> bool:
        """Whether a subvolume is a read-only snapshot: what it holds was read, or is of the past."""
        try:
            return self._subvolume(number).kept
        except ParseError:
            return False

    # --- content --------------------------------------------------------------------------------------------------

    def _content(self, volume: _Subvolume, number: int, size: int) -> Source:
        extents: list[_Extent] = []
        for key, body in self._disk.items(volume.root, Key(number, _EXTENT, 0), Key(number, _EXTENT, _LAST)):
            extents.append(_extent(key.offset, body))
            if len(extents) > MAX_EXTENTS:
                raise ParseError("image.damaged", cause="too many extents")
        return _Content(self, extents, size)

    def read_extent(self, extent: _Extent, inside: int, length: int) -> bytes:
        """Return bytes of an extent from `inside`; fewer at its end."""
        if extent.data and not extent.method:
            return extent.data[inside : inside + length]
        if not extent.method:
            return self._disk.read_at((extent.place or 0) + extent.inside + inside, length)
        start = extent.inside + inside
        if extent.data:
            return _unpacked(extent, extent.data, self._disk.sector)[start : start + length]
        return self._plain.get(extent.place, lambda: self._unpack(extent))[start : start + length]

    def _unpack(self, extent: _Extent) -> bytes:
        if extent.packed > MAX_EXTENT or extent.plain > MAX_EXTENT:
            raise ParseError("image.damaged", cause="btrfs extent")
        return _unpacked(extent, self._disk.read_at(extent.place or 0, extent.packed), self._disk.sector)

    def _xattrs(self, volume: _Subvolume, number: int) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for _, body in self._disk.items(volume.root, Key(number, _XATTR, 0), Key(number, _XATTR, _LAST)):
            for name, value in _pairs(body):
                found[name.decode("utf-8", "replace")] = value
        return found


class _Content:
    """A file's content, extent by extent; what lies between them is zeros."""

    def __init__(self, tree: BtrfsTree, extents: list[_Extent], size: int) -> None:
        self.size = size
        self._tree = tree
        self._extents = extents
        self._starts = [extent.start for extent in extents]

    def read_at(self, offset: int, length: int) -> bytes:
        return read_pieces(self._piece, self.size, offset, length)

    def _piece(self, offset: int, length: int) -> bytes:
        index = bisect_right(self._starts, offset) - 1
        if index >= 0:
            extent = self._extents[index]
            inside = offset - extent.start
            if inside < extent.length:
                length = min(length, extent.length - inside)
                if extent.place is None and not extent.data:
                    return bytes(length)
                data = self._tree.read_extent(extent, inside, length)
                if not data:
                    raise ParseError("image.damaged", cause="btrfs extent is too short")
                return data
        following = self._starts[index + 1] if index + 1 < len(self._starts) else self.size
        return bytes(min(length, following - offset))


def _extent(start: int, body: bytes) -> _Extent:
    if len(body) < 21:
        raise ParseError("image.damaged", cause="btrfs extent")
    plain, method, encryption, kind = struct.unpack_from("<QBB2xB", body, 8)
    if encryption or method > 3:
        raise ParseError("image.unsupported", cause="btrfs encoding")
    if kind == _INLINE:
        return _Extent(start, plain, None, len(body) - 21, plain, 0, method, body[21:])
    if len(body) < 53:
        raise ParseError("image.damaged", cause="btrfs extent")
    place, packed, inside, length = struct.unpack_from("<QQQQ", body, 21)
    hole = not place or kind == _PLANNED
    return _Extent(start, length, None if hole else place, packed, plain, inside, method, b"")


def _unpacked(extent: _Extent, raw: bytes, sector: int) -> bytes:
    limit = min(extent.plain, MAX_EXTENT)
    if extent.method == 1:
        return zlib_block(raw, limit)
    if extent.method == 3:
        return zstd_block(raw, limit)
    return b"".join(_lzo_segments(raw, max(sector, _LZO_PAGE)))[:limit]


def _lzo_segments(raw: bytes, page: int) -> Iterator[bytes]:
    """Yield the segments of an LZO extent; no segment's length crosses a page."""
    end, at = min(len(raw), int.from_bytes(raw[:4], "little")), 4
    while at + 4 <= end:
        if page - at % page < 4:
            at += page - at % page
        size = int.from_bytes(raw[at : at + 4], "little")
        if not size or size > 2 * page:
            raise ParseError("image.damaged", cause="btrfs LZO segment")
        yield lzo_block(raw[at + 4 : at + 4 + size], page)
        at += 4 + size


def _pairs(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, value) of what hashed to the same number."""
    at = 0
    while at + 30 <= len(body):
        data, name = struct.unpack_from("<HH", body, at + 25)
        end = at + 30 + name + data
        yield body[at + 30 : at + 30 + name], body[at + 30 + name : end]
        at = end
