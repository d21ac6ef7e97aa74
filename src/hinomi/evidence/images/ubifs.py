"""UBIFS as a tree, read in place through its index. Format: the kernel's fs/ubifs/ubifs-media.h.

The journal is not replayed: what was not committed is not seen, and that is said.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from hinomi.evidence.archives.blocks import deflate_block, zstd_block
from hinomi.evidence.archives.lzo import lzo_block
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.tree import KINDS, Node
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

BLOCK = 4096
ROOT = 1
MAX_NODE = 1 << 20
MAX_DEPTH = 64
MAX_BLOCKS = 1 << 22
MAX_MASTERS = 1 << 14
_INODE, _DATA, _DENTRY, _SUPER, _MASTER, _INDEX = 0, 1, 2, 6, 7, 9
_KEY_INODE, _KEY_DATA, _KEY_DENTRY, _KEY_XATTR = range(4)
_DIRTY = 1
_UNPACK: dict[int, Callable[[bytes, int], bytes]] = {
    0: lambda raw, limit: raw[:limit], 1: lzo_block, 2: deflate_block, 3: zstd_block,
}  # fmt: skip

Key = tuple[int, int]  # inode, and the kind of node (3 bits) with a block or hash (29 bits)


class _Branch(NamedTuple):
    key: Key
    block: int
    offset: int
    length: int


class _Nodes(NamedTuple):
    level: int
    branches: list[_Branch]


class UbifsTree(LazyTree):
    """A UBIFS file system (implements `Tree`)."""

    kind = "ubifs"

    def __init__(self, source: Source) -> None:
        """Read superblock, master node and root; `ParseError` where they are damaged."""
        super().__init__(source)
        head = self._raw(0, 4096, _SUPER)
        flags, _, self._erase_block, count = struct.unpack_from("<IIII", head, 28)
        if not 4096 <= self._erase_block <= 4 << 20 or count > 1 << 20:
            raise ParseError("image.damaged", cause="UBIFS superblock")
        if flags & 0x20 or head[27]:
            raise ParseError("image.unsupported", cause="UBIFS with authentication or unknown keys")
        self._index: Kept[_Nodes] = Kept(2048)
        master = self._newest_master()
        if int.from_bytes(master[40:44], "little") & _DIRTY:
            self.notes.miss("", "changed", "journal not replayed: the image was taken while in use")
        self._top = _Branch((0, 0), *struct.unpack_from("<III", master, 48))
        self.root = self.node(ROOT)
        self._need_folder()

    # --- nodes on flash -------------------------------------------------------------------------------------------

    def _raw(self, at: int, length: int, kind: int) -> bytes:
        raw = self.source.read_at(at, min(length, MAX_NODE))
        if len(raw) < 24 or raw[:4] != b"\x31\x18\x10\x06" or raw[20] != kind:
            raise ParseError("image.damaged", cause="UBIFS node")
        return raw

    def _node_of(self, branch: _Branch, kind: int) -> bytes:
        if branch.length > MAX_NODE or branch.offset >= self._erase_block:
            raise ParseError("image.damaged", cause="UBIFS branch")
        raw = self._raw(branch.block * self._erase_block + branch.offset, branch.length, kind)
        if len(raw) < branch.length:
            raise ParseError("image.truncated", cause="UBIFS node")
        return raw

    def _newest_master(self) -> bytes:
        """Return the last of the master nodes, written one behind the other in the second and third block."""
        newest = b""
        for block in (1, 2):
            at, end = block * self._erase_block, (block + 1) * self._erase_block
            for _ in range(MAX_MASTERS):
                raw = self.source.read_at(at, 512)
                length = int.from_bytes(raw[16:20], "little")
                if raw[:4] != b"\x31\x18\x10\x06" or len(raw) < 512 or length < 24 or at >= end:
                    break
                if raw[20] == _MASTER and (not newest or raw[32:40][::-1] >= newest[32:40][::-1]):
                    newest = raw
                at += -(-length // 8) * 8
        if not newest:
            raise ParseError("image.damaged", cause="no UBIFS master node")
        return newest

    def _find(self, first: Key, last: Key) -> Iterator[_Branch]:
        """Yield the branches to nodes with keys from `first` to `last`."""
        yield from self._below(self._top, first, last, MAX_DEPTH)

    def _below(self, branch: _Branch, first: Key, last: Key, depth: int) -> Iterator[_Branch]:
        nodes = self._index.get((branch.block, branch.offset), lambda: self._parse(branch))
        if nodes.level >= depth:
            raise ParseError("image.damaged", cause="UBIFS index")
        branches = nodes.branches
        for index, child in enumerate(branches):
            if child.key > last:
                return
            if nodes.level:
                if index + 1 == len(branches) or branches[index + 1].key >= first:
                    yield from self._below(child, first, last, nodes.level)
            elif child.key >= first:
                yield child

    def _parse(self, branch: _Branch) -> _Nodes:
        raw = self._node_of(branch, _INDEX)
        count, level = struct.unpack_from("<HH", raw, 24)
        body = raw[28 : 28 + 20 * min(count, (len(raw) - 28) // 20)]
        found = [_Branch((a, b), block, at, size) for block, at, size, a, b in struct.iter_unpack("<IIIII", body)]
        return _Nodes(level, found)

    # --- inodes ---------------------------------------------------------------------------------------------------

    def node(self, number: int) -> Node:
        """Return an inode as a node; `ParseError` where there is none."""
        raw = self._inode(number)
        size, _, changed, modified, _, changed_ns, modified_ns, links, uid, gid, mode = struct.unpack_from(
            "<QqqqIIIIIII", raw, 48
        )
        kind = KINDS.get(mode & 0o170000)
        if kind is None:
            raise ParseError("image.damaged", cause=f"mode {mode:o}")
        node = Node(kind, mode & 0o7777, uid, gid, size, modified + modified_ns / 1e9, inode=number)
        node.ctime, node.links = changed + changed_ns / 1e9, links
        node.xattrs = partial(self._xattrs, number)
        if kind == "symlink":
            node.link = _inline(raw)
        elif kind == "file":
            node.content = partial(self._content, number, size)
        return node

    def _inode(self, number: int) -> bytes:
        key = number, _KEY_INODE << 29
        branch = next(self._find(key, key), None)
        raw = self._node_of(branch, _INODE) if branch is not None else b""
        if len(raw) < 160:
            raise ParseError("image.damaged", cause=f"no inode {number}")
        return raw

    def _list(self, node: Node) -> dict[bytes, Node]:
        found: dict[bytes, Node] = {}
        for name, number in self._entries(node.inode, _KEY_DENTRY, _DENTRY):
            self._enter(found, name, partial(self.node, number))
        return found

    def _entries(self, number: int, key: int, kind: int) -> Iterator[tuple[bytes, int]]:
        for branch in self._find((number, key << 29), (number, key << 29 | (1 << 29) - 1)):
            self._listing.spend(branch.length)
            raw = self._node_of(branch, kind)
            target, length = int.from_bytes(raw[40:48], "little"), int.from_bytes(raw[50:52], "little")
            if target:
                yield raw[56 : 56 + length], target

    def _xattrs(self, number: int) -> dict[str, bytes]:
        named = self._entries(number, _KEY_XATTR, 3)
        return {name.decode("utf-8", "replace"): _inline(self._inode(target)) for name, target in named}

    # --- content --------------------------------------------------------------------------------------------------

    def _content(self, number: int, size: int) -> Source:
        branches: dict[int, _Branch] = {}
        for branch in self._find((number, _KEY_DATA << 29), (number, _KEY_DATA << 29 | (1 << 29) - 1)):
            branches[branch.key[1] & (1 << 29) - 1] = branch
            if len(branches) > MAX_BLOCKS:
                raise ParseError("image.damaged", cause="too many blocks")
        return _Content(partial(self._block, branches), size)

    def _block(self, branches: dict[int, _Branch], index: int) -> bytes:
        branch = branches.get(index)
        if branch is None:
            return bytes(BLOCK)
        raw = self._node_of(branch, _DATA)
        size, method = struct.unpack_from("<IH", raw, 40)
        if method not in _UNPACK:
            raise ParseError("image.unsupported", cause=f"UBIFS compression {method}")
        return _UNPACK[method](raw[48:], min(size, BLOCK)).ljust(BLOCK, b"\0")


class _Content:
    """A file's content in blocks of 4 KiB."""

    def __init__(self, block: Callable[[int], bytes], size: int) -> None:
        self.size = size
        self._block = block

    def read_at(self, offset: int, length: int) -> bytes:
        return read_in_steps(self.size, BLOCK, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        return self._block(index)[inside : inside + number]


def _inline(raw: bytes) -> bytes:
    """Return what is kept in an inode: a link's target, an attribute's value."""
    return raw[160 : 160 + int.from_bytes(raw[112:116], "little")]
