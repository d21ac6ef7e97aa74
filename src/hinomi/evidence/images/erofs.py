"""EROFS as a tree, read in place. Format: the kernel's erofs_fs.h and Documentation/filesystems/erofs."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from hinomi.evidence.archives.source import BytesSource, SliceSource, Source
from hinomi.evidence.images.erofszip import ZipLayout, zipped_content
from hinomi.evidence.images.joined import JoinedSource
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.runs import Run, RunSource
from hinomi.evidence.images.tree import KINDS, Node
from hinomi.model.errors import ParseError

SUPERBLOCK_AT = 1024
MAX_FOLDER = 256 << 20
MAX_LINK = 4096
MAX_CHUNKS = 1 << 20
MAX_XATTRS = 1 << 16
_PLAIN, _ZIPPED, _INLINE, _ZIPPED_COMPACT, _CHUNKS = 0, 1, 2, 3, 4
_KNOWN = 0x7F
_ZERO_PADDED = 0x1
_HOLE = 0xFFFFFFFF
_PREFIXES = {1: "user.", 2: "system.posix_acl_access", 3: "system.posix_acl_default", 4: "trusted.", 6: "security."}


class _Inode(NamedTuple):
    layout: int
    mode: int
    links: int
    size: int
    word: int  # first block, device, or how chunks are kept
    uid: int
    gid: int
    mtime: float
    end: int  # where the inode ends
    xattrs: int  # bytes of extended attributes after it


class ErofsTree(LazyTree):
    """An EROFS image (implements `Tree`)."""

    kind = "erofs"

    def __init__(self, source: Source) -> None:
        """Read the superblock and the root; `ParseError` where they are damaged or ask for what is unknown."""
        super().__init__(source)
        s = source.read_at(SUPERBLOCK_AT, 128)
        if len(s) < 128 or s[:4] != b"\xe2\xe1\xf5\xe0":
            raise ParseError("image.damaged", cause="no EROFS superblock")
        incompatible = int.from_bytes(s[80:84], "little")
        if incompatible & ~_KNOWN or not 9 <= s[12] <= 16 or s[90]:
            raise ParseError("image.unsupported", cause=f"EROFS features {incompatible:#x}")
        self._block = 1 << s[12]
        self._padded = bool(incompatible & _ZERO_PADDED)
        self.made_at = int.from_bytes(s[24:32], "little")
        self._made = self.made_at + int.from_bytes(s[32:36], "little") / 1e9
        self._meta, self._shared = (block * self._block for block in struct.unpack_from("<II", s, 40))
        self._packed = int.from_bytes(s[96:104], "little")
        self.root = self.node(int.from_bytes(s[14:16], "little"))
        self._need_folder()

    # --- inodes ---------------------------------------------------------------------------------------------------

    def node(self, number: int) -> Node:
        """Return an inode as a node; `ParseError` where it is damaged."""
        inode = self._inode(number)
        kind = KINDS.get(inode.mode & 0o170000)
        if kind is None:
            raise ParseError("image.damaged", cause=f"mode {inode.mode:o}")
        node = Node(kind, inode.mode & 0o7777, inode.uid, inode.gid, inode.size, inode.mtime, inode=number)
        node.links = inode.links
        node.xattrs = partial(self._xattrs, inode)
        if kind == "symlink":
            node.link = self._content(inode).read_at(0, MAX_LINK)
        elif kind in ("file", "directory"):
            node.content = partial(self._content, inode)
        return node

    def _inode(self, number: int) -> _Inode:
        at = self._meta + number * 32
        raw = self.source.read_at(at, 64)
        if len(raw) < 32:
            raise ParseError("image.truncated", cause=f"inode {number}")
        form, xattrs, mode = struct.unpack_from("<HHH", raw)
        layout, extra = form >> 1 & 7, 12 + 4 * (xattrs - 1) if xattrs else 0
        if form & 1:
            if len(raw) < 64:
                raise ParseError("image.truncated", cause=f"inode {number}")
            size, word, _, uid, gid, seconds, nanoseconds, links = struct.unpack_from("<QIIIIqII", raw, 8)
            return _Inode(layout, mode, links, size, word, uid, gid, seconds + nanoseconds / 1e9, at + 64, extra)
        links, size, _, word, _, uid, gid = struct.unpack_from("<HIIIIHH", raw, 6)
        return _Inode(layout, mode, links, size, word, uid, gid, self._made, at + 32, extra)

    # --- content --------------------------------------------------------------------------------------------------

    def _content(self, inode: _Inode) -> Source:
        after = inode.end + inode.xattrs
        if inode.layout == _PLAIN:
            return SliceSource(self.source, inode.word * self._block, self._within(inode.size))
        if inode.layout == _INLINE:
            return self._with_tail(inode, after)
        if inode.layout == _CHUNKS:
            return RunSource(self.source, self._chunks(inode, after), inode.size)
        if inode.layout in (_ZIPPED, _ZIPPED_COMPACT):
            compact = inode.layout == _ZIPPED_COMPACT
            layout = ZipLayout(after, inode.size, self._block, compact, self._padded)
            return zipped_content(self.source, layout, self._fragments)
        raise ParseError("image.unsupported", cause=f"EROFS layout {inode.layout}")

    def _within(self, size: int) -> int:
        if size > self.source.size:
            raise ParseError("image.truncated", cause="a file is larger than its image")
        return size

    def _with_tail(self, inode: _Inode, after: int) -> Source:
        """The last, partly filled block stands behind the inode."""
        whole = max(0, -(-self._within(inode.size) // self._block) - 1) * self._block
        tail = self.source.read_at(after, inode.size - whole)
        if not whole:
            return BytesSource(tail)
        return JoinedSource([SliceSource(self.source, inode.word * self._block, whole), BytesSource(tail)])

    def _chunks(self, inode: _Inode, after: int) -> Iterator[Run]:
        size = self._block << (inode.word & 0x1F)
        count = -(-inode.size // size)
        if count > MAX_CHUNKS:
            raise ParseError("image.damaged", cause="too many chunks")
        indexed = bool(inode.word & 0x20)
        width = 8 if indexed else 4
        table = self.source.read_at(-(-after // width) * width, count * width)
        for index in range(count):
            entry = table[index * width : (index + 1) * width]
            block = int.from_bytes(entry[-4:], "little")
            if indexed and entry[2:4].strip(b"\0"):
                raise ParseError("image.incomplete", cause="EROFS data on another device")
            if block != _HOLE:
                yield Run(index * size, min(size, inode.size - index * size), block * self._block)

    def _fragments(self) -> Source:
        """Return the file in which others' tails are kept."""
        if not self._packed:
            raise ParseError("image.damaged", cause="EROFS fragments without their file")
        inode = self._inode(self._packed)
        if inode.layout in (_ZIPPED, _ZIPPED_COMPACT):
            layout = ZipLayout(
                inode.end + inode.xattrs, inode.size, self._block, inode.layout == _ZIPPED_COMPACT, self._padded
            )
            return zipped_content(self.source, layout, _no_fragments)
        return self._content(inode)

    # --- folders and attributes -----------------------------------------------------------------------------------

    def _list(self, node: Node) -> dict[bytes, Node]:
        size = min(node.size, MAX_FOLDER)
        self._listing.spend(size)
        content = node.content() if node.content is not None else BytesSource(b"")
        found: dict[bytes, Node] = {}
        for at in range(0, size, self._block):
            block = content.read_at(at, min(self._block, size - at))
            for name, number in _names(block):
                self._enter(found, name, partial(self.node, number))
        return found

    def _xattrs(self, inode: _Inode) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        if inode.xattrs < 12 or inode.xattrs > MAX_XATTRS * 4:
            return found
        raw = self.source.read_at(inode.end, inode.xattrs)
        shared = raw[4] if len(raw) >= 12 else 0
        for index in range(shared):
            number = int.from_bytes(raw[12 + 4 * index : 16 + 4 * index], "little")
            _attribute(self.source.read_at(self._shared + number * 4, 260 + MAX_XATTRS), 0, found)
        at = 12 + 4 * shared
        while at + 4 <= len(raw):
            at = _attribute(raw, at, found)
        return found


def _no_fragments() -> Source:
    raise ParseError("image.damaged", cause="EROFS fragments in themselves")


def _names(block: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield (name, inode) of one block of a folder; a name ends where the next begins."""
    if len(block) < 12:
        return
    first = int.from_bytes(block[8:10], "little")
    if first % 12 or not 12 <= first <= len(block):
        raise ParseError("image.damaged", cause="folder block")
    starts = [int.from_bytes(block[at + 8 : at + 10], "little") for at in range(0, first, 12)] + [len(block)]
    for index, (start, end) in enumerate(pairwise(starts)):
        yield block[start:end].split(b"\0")[0], int.from_bytes(block[index * 12 : index * 12 + 8], "little")


def _attribute(raw: bytes, at: int, found: dict[str, bytes]) -> int:
    """Read one attribute; return where the next is."""
    if len(raw) < at + 4:
        return len(raw)
    length, prefix, size = struct.unpack_from("<BBH", raw, at)
    name = raw[at + 4 : at + 4 + length]
    if prefix in _PREFIXES and len(found) < 256:
        value = raw[at + 4 + length : at + 4 + length + size]
        found[_PREFIXES[prefix] + name.decode("utf-8", "replace")] = value
    return at + -(-(4 + int(length) + int(size)) // 4) * 4
