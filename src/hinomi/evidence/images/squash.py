"""squashfs 4.0 as a tree, read in place, on the tables reader that the archive walker uses.

Format: the kernel's squashfs_fs.h and Documentation/filesystems/squashfs.
"""

from __future__ import annotations

import struct
from functools import partial

from hinomi.evidence.archives.source import Source
from hinomi.evidence.archives.squashfs import SquashTables
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.tree import Node
from hinomi.evidence.kept import Kept
from hinomi.evidence.view import EntryKind
from hinomi.model.errors import ParseError

NO_FRAGMENT = 0xFFFFFFFF
NO_TABLE = 0xFFFFFFFFFFFFFFFF
MAX_FOLDER = 64 << 20
MAX_BLOCKS = 1 << 20
MAX_CACHED_BLOCKS = 64  # of up to 1 MiB each
_KINDS: dict[int, EntryKind] = {
    1: "directory", 2: "file", 3: "symlink", 4: "block-device", 5: "character-device", 6: "fifo", 7: "socket",
}  # fmt: skip
_PREFIXES = {0: "user.", 1: "trusted.", 2: "security."}


class _Reader(SquashTables):
    """The tables, with the blocks that hold several files' tails remembered."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._tails: Kept[bytes] = Kept(MAX_CACHED_BLOCKS)
        head = source.read_at(0, 96)
        self.ids = int.from_bytes(head[26:28], "little")
        self.ids_at, self.xattrs_at = struct.unpack_from("<Q8xQ", head, 48)

    def fragment(self, index: int) -> bytes:
        """Return a block of tails."""
        return self._tails.get(index, lambda: super(_Reader, self).fragment(index))

    def id(self, index: int) -> int:
        """Return a user or group number."""
        if index >= self.ids:
            raise ParseError("image.damaged", cause="squashfs id")
        table = int.from_bytes(self.source.read_at(self.ids_at + index // 2048 * 8, 8), "little")
        return int.from_bytes(self.read(table, index % 2048 * 4, 4), "little")


class SquashTree(LazyTree):
    """A squashfs image (implements `Tree`)."""

    kind = "squashfs"

    def __init__(self, source: Source) -> None:
        """Read the superblock and the root; `ParseError` where they are damaged or of an unknown version."""
        super().__init__(source)
        self._reader = _Reader(source)
        self.made_at = int.from_bytes(source.read_at(8, 4), "little")
        self._places: dict[int, tuple[int, int, int]] = {}
        self._ids: dict[int, int] = {}
        self.root = self._node(self._reader.root >> 16, self._reader.root & 0xFFFF)
        self._need_folder()

    def _list(self, node: Node) -> dict[bytes, Node]:
        start, first, size = self._places[node.inode]
        found: dict[bytes, Node] = {}
        if size <= 3:
            return found
        self._listing.spend(min(size, MAX_FOLDER))
        data = self._reader.read(self._reader.directories_at + start, first, min(size - 3, MAX_FOLDER))
        at = 0
        while at + 12 <= len(data):
            count, block, _ = struct.unpack_from("<III", data, at)
            at += 12
            for _ in range(min(count + 1, 256)):
                if at + 8 > len(data):
                    self.notes.miss(f"inode {node.inode}", "damaged", "squashfs folder")
                    return found
                offset, _, _, length = struct.unpack_from("<HhHH", data, at)
                name = data[at + 8 : at + 9 + length]
                at += 9 + length
                self._enter(found, name, partial(self._node, block, offset))
        return found

    def _node(self, block: int, offset: int) -> Node:
        head = self._reader.read(self._reader.inodes_at + block, offset, 16)
        number, mode, uid, gid, mtime, inode = struct.unpack("<HHHHII", head)
        long = number > 7
        kind = _KINDS.get(number - 7 if long else number)
        if kind is None:
            raise ParseError("image.damaged", cause=f"squashfs inode type {number}")
        node = Node(kind, mode & 0o7777, self._id(uid), self._id(gid), inode=inode, mtime=float(mtime))
        at = (self._reader.inodes_at + block, offset)
        if kind == "directory":
            self._directory(node, at, long)
        elif kind == "file":
            self._file(node, at, long)
        elif kind == "symlink":
            node.links, size = struct.unpack("<II", self._reader.read(at[0], at[1] + 16, 8))
            node.link = self._reader.read(at[0], at[1] + 24, min(size, 65536))
            node.size = len(node.link)
        return node

    def _id(self, index: int) -> int:
        known = self._ids.get(index)
        if known is None:
            known = self._ids[index] = self._reader.id(index)
        return known

    def _directory(self, node: Node, at: tuple[int, int], long: bool) -> None:
        if long:
            node.links, size, start, _, _, first = struct.unpack("<IIIIHH", self._reader.read(at[0], at[1] + 16, 20))
        else:
            start, node.links, size, first = struct.unpack("<IIHH", self._reader.read(at[0], at[1] + 16, 12))
        node.size = size
        place = self._places.setdefault(node.inode, (start, first, size))
        if place != (start, first, size):
            raise ParseError("image.damaged", cause="two folders of one number")

    def _file(self, node: Node, at: tuple[int, int], long: bool) -> None:
        sparse = 0
        if long:
            body = self._reader.read(at[0], at[1] + 16, 40)
            start, node.size, sparse, node.links, fragment, inside, xattr = struct.unpack("<QQQIIII", body)
            if xattr != NO_FRAGMENT:
                node.xattrs = partial(self._xattrs, xattr)
            lists = at[1] + 56
        else:
            start, fragment, inside, node.size = struct.unpack("<IIII", self._reader.read(at[0], at[1] + 16, 16))
            lists = at[1] + 32
        node.blocks = max(0, node.size - sparse + 511) // 512
        node.content = partial(_Content, self._reader, (at[0], lists), start, node.size, fragment, inside)

    def _xattrs(self, index: int) -> dict[str, bytes]:
        reader = self._reader
        if reader.xattrs_at == NO_TABLE:
            return {}
        head = reader.source.read_at(reader.xattrs_at, 16)
        if len(head) < 16:
            raise ParseError("image.truncated", cause="squashfs xattrs")
        values_at, total = struct.unpack_from("<QI", head)
        if index >= total:
            raise ParseError("image.damaged", cause="squashfs xattrs")
        where = int.from_bytes(reader.source.read_at(reader.xattrs_at + 16 + index // 512 * 8, 8), "little")
        reference, count, size = struct.unpack("<QII", reader.read(where, index % 512 * 16, 16))
        data = reader.read(values_at + (reference >> 16), reference & 0xFFFF, min(size + count * 8, 1 << 16))
        return _pairs(data, min(count, 64))


def _pairs(data: bytes, count: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    at = 0
    for _ in range(count):
        if at + 4 > len(data):
            break
        prefix, length = struct.unpack_from("<HH", data, at)
        name = data[at + 4 : at + 4 + length].decode("utf-8", "replace")
        at += 4 + length
        size = int.from_bytes(data[at : at + 4], "little")
        if not prefix & 0x100:  # else the value is kept elsewhere
            found[_PREFIXES.get(prefix & 0xFF, "") + name] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found


class _Content:
    """A file's content: whole blocks and perhaps a tail among others' tails."""

    def __init__(
        self, reader: _Reader, lists: tuple[int, int], start: int, size: int, fragment: int, inside: int
    ) -> None:
        self.size = size
        self._reader = reader
        self._fragment = None if fragment == NO_FRAGMENT else (fragment, inside)
        step = reader.block_size
        count = size // step if self._fragment else -(-size // step)
        if count > MAX_BLOCKS:
            raise ParseError("image.damaged", cause="squashfs block list")
        raw = reader.read(lists[0], lists[1], 4 * count) if count else b""
        self._words = struct.unpack(f"<{count}I", raw)
        self._starts = [start]
        for word in self._words:
            self._starts.append(self._starts[-1] + (word & 0xFFFFFF))
        self._last: tuple[int, bytes] = (-1, b"")

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes, block by block."""
        return read_in_steps(self.size, self._reader.block_size, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        return self._block(index)[inside : inside + number]

    def _block(self, index: int) -> bytes:
        known, data = self._last
        if known == index:
            return data
        if index < len(self._words):
            left = min(self._reader.block_size, self.size - index * self._reader.block_size)
            data = self._reader.block(self._starts[index], self._words[index], left)
        elif self._fragment is not None:
            number, inside = self._fragment
            data = self._reader.fragment(number)[inside : inside + self.size % self._reader.block_size]
        else:
            data = b""
        self._last = index, data
        return data
