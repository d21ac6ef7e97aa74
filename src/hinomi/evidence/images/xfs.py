"""XFS (versions 4 and 5) as a tree, read in place. Format: "XFS Algorithms & Data Structures", 3rd edition.

The log is not replayed and checksums are not verified: every number is checked against the image instead. Files on a
realtime device stay closed, and that is said.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from hinomi.evidence.archives.source import BytesSource, Source
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.runs import Run, RunSource
from hinomi.evidence.images.tree import KINDS, Node
from hinomi.evidence.images.xfsattr import leaf_attributes, short_attributes
from hinomi.model.errors import ParseError

MAX_FOLDER = 256 << 20
MAX_LINK = 4096
MAX_EXTENTS = 1 << 20
MAX_DEPTH = 9
MAX_ATTRIBUTES = 4 << 20
LEAVES_AT = 32 << 30  # of a folder: what lies there are indexes of its names
BIGTIME_EPOCH = -(1 << 31)
_LOCAL, _EXTENTS, _BTREE = 1, 2, 3
_FTYPE, _KNOWN = 0x1, 0x1FF
_FTYPE_V4 = 0x200
_REALTIME, _BIGTIME, _LARGE_COUNTS = 0x1, 0x8, 0x10


class Geometry(NamedTuple):
    """What the superblock says; sizes in bytes but for `group_blocks`."""

    block: int
    group_blocks: int
    groups: int
    root: int
    inode: int
    inodes_log: int  # bits of an inode's number within its block
    group_log: int  # bits of a block's number within its group
    folder_block: int
    typed: bool  # folder entries carry a type
    checked: bool  # version 5: blocks have longer heads


def read_geometry(source: Source) -> Geometry:
    """Return the geometry; `ParseError` where the superblock makes no sense or asks for what is unknown."""
    s = source.read_at(0, 512)
    if len(s) < 512 or s[:4] != b"XFSB":
        raise ParseError("image.damaged", cause="no XFS superblock")
    block, group_blocks, groups = (int.from_bytes(s[at : at + 4], "big") for at in (4, 84, 88))
    version, inode = int.from_bytes(s[100:102], "big"), int.from_bytes(s[104:106], "big")
    inodes_log, group_log, folder_log = s[123], s[124], s[192]
    checked = version & 0xF == 5
    incompatible = int.from_bytes(s[216:220], "big") if checked else 0
    if incompatible & ~_KNOWN:
        raise ParseError("image.unsupported", cause=f"XFS features {incompatible:#x}")
    sane = 512 <= block <= 65536 and 256 <= inode <= 2048 and inodes_log <= 8 and 4 <= group_log <= 31
    if not sane or version & 0xF not in (4, 5) or not group_blocks or group_blocks > 1 << group_log or folder_log > 7:
        raise ParseError("image.damaged", cause="XFS superblock")
    typed = bool(incompatible & _FTYPE) if checked else bool(int.from_bytes(s[200:204], "big") & _FTYPE_V4)
    root = int.from_bytes(s[56:64], "big")
    return Geometry(
        block, group_blocks, groups, root, inode, inodes_log, group_log, block << folder_log, typed, checked
    )


class _Fork(NamedTuple):
    """One of an inode's two areas: what its bytes mean, the bytes, and how many extents there are."""

    form: int
    body: bytes
    extents: int


class XfsTree(LazyTree):
    """An XFS file system (implements `Tree`)."""

    kind = "xfs"

    def __init__(self, source: Source) -> None:
        """Read the superblock and the root; `ParseError` where they are damaged or cannot be understood."""
        super().__init__(source)
        self.geometry = read_geometry(source)
        self.root = self.node(self.geometry.root)
        self._need_folder()

    # --- inodes ---------------------------------------------------------------------------------------------------

    def node(self, number: int) -> Node:
        """Return an inode as a node; `ParseError` where it is not in use or damaged."""
        raw = self._inode(number)
        mode = int.from_bytes(raw[2:4], "big")
        kind = KINDS.get(mode & 0o170000)
        if kind is None or raw[4] not in (1, 2, 3):
            raise ParseError("image.damaged", cause=f"mode {mode:o}")
        uid, gid, links = struct.unpack_from(">III", raw, 8)
        node = Node(kind, mode & 0o7777, uid, gid, int.from_bytes(raw[56:64], "big"), inode=number)
        node.links = links if raw[4] > 1 else int.from_bytes(raw[6:8], "big")
        node.blocks = int.from_bytes(raw[64:72], "big") * (self.geometry.block // 512)
        large = raw[4] == 3 and bool(raw[127] & _BIGTIME)
        node.mtime, node.ctime = _time(raw[40:48], large), _time(raw[48:56], large)
        node.btime = _time(raw[144:152], large) if raw[4] == 3 else None
        node.xattrs = partial(self._xattrs, raw)
        if kind == "symlink":
            node.link = self._link(raw, node.size)
        elif kind in ("file", "directory"):
            node.content = partial(self._content, raw, node.size)
        return node

    def _inode(self, number: int) -> bytes:
        g = self.geometry
        group, rest = divmod(number, 1 << (g.group_log + g.inodes_log))
        block, index = divmod(rest, 1 << g.inodes_log)
        if group >= g.groups or block >= g.group_blocks:
            raise ParseError("image.damaged", cause=f"inode {number} outside the image")
        raw = self.source.read_at((group * g.group_blocks + block) * g.block + index * g.inode, g.inode)
        if len(raw) < g.inode:
            raise ParseError("image.truncated", cause=f"inode {number}")
        if raw[:2] != b"IN":
            raise ParseError("image.damaged", cause=f"inode {number}")
        return raw

    def _fork(self, raw: bytes, *, attributes: bool = False) -> _Fork:
        start = 176 if raw[4] == 3 else 100
        middle = start + raw[82] * 8 if raw[82] else len(raw)
        if middle > len(raw):
            raise ParseError("image.damaged", cause="inode forks")
        wide = raw[4] == 3 and bool(raw[127] & _LARGE_COUNTS)
        if attributes:
            count = int.from_bytes(raw[76:80] if wide else raw[80:82], "big")
            return _Fork(raw[83], raw[middle:] if raw[82] else b"", count)
        count = int.from_bytes(raw[24:32] if wide else raw[76:80], "big")
        return _Fork(raw[5], raw[start:middle], count)

    # --- content --------------------------------------------------------------------------------------------------

    def _content(self, raw: bytes, size: int) -> Source:
        if int.from_bytes(raw[90:92], "big") & _REALTIME:
            raise ParseError("image.unsupported", cause="a file on the realtime device")
        fork = self._fork(raw)
        if fork.form == _LOCAL:
            return BytesSource(fork.body[:size])
        return RunSource(self.source, self._runs(fork), size)

    def _runs(self, fork: _Fork) -> Iterator[Run]:
        if fork.form == _EXTENTS:
            yield from self._records(fork.body, fork.extents)
        elif fork.form == _BTREE:
            level, count = struct.unpack_from(">HH", fork.body)
            most = (len(fork.body) - 4) // 16
            left = [max(64, 2 * fork.extents)]  # blocks that the tree may have
            yield from self._below(fork.body[4 + most * 8 :], min(count, most), level, left)
        else:
            raise ParseError("image.damaged", cause="inode fork")

    def _below(self, pointers: bytes, count: int, level: int, left: list[int]) -> Iterator[Run]:
        if not 0 < level <= MAX_DEPTH:
            raise ParseError("image.damaged", cause="extent tree")
        g = self.geometry
        head = 72 if g.checked else 24
        most = (g.block - head) // 16
        for index in range(count):
            left[0] -= 1
            if left[0] < 0:
                raise ParseError("image.damaged", cause="too many extents")
            at = self._place(int.from_bytes(pointers[index * 8 : index * 8 + 8], "big"))
            block = self.source.read_at(at, g.block)
            if block[:4] not in (b"BMAP", b"BMA3") or len(block) < g.block:
                raise ParseError("image.damaged", cause="extent tree")
            below, records = struct.unpack_from(">HH", block, 4)
            if below != level - 1:
                raise ParseError("image.damaged", cause="extent tree")
            if below:
                yield from self._below(block[head + most * 8 :], min(records, most), below, left)
            else:
                yield from self._records(block[head:], records)

    def _records(self, raw: bytes, count: int) -> Iterator[Run]:
        """Yield packed extents: a bit (unwritten), 54 bits of place in the file, 52 of block, 21 of length."""
        block = self.geometry.block
        for at in range(0, min(count, len(raw) // 16, MAX_EXTENTS) * 16, 16):
            word = int.from_bytes(raw[at : at + 16], "big")
            start, place, length = word >> 73 & (1 << 54) - 1, word >> 21 & (1 << 52) - 1, word & (1 << 21) - 1
            yield Run(start * block, length * block, None if word >> 127 else self._place(place))

    def _place(self, number: int) -> int:
        """Return where a block is; its number has the group in its high bits."""
        g = self.geometry
        group, block = divmod(number, 1 << g.group_log)
        if group >= g.groups or block >= g.group_blocks:
            raise ParseError("image.damaged", cause="block outside the image")
        return (group * g.group_blocks + block) * g.block

    def _link(self, raw: bytes, size: int) -> bytes:
        fork, size = self._fork(raw), min(size, MAX_LINK)
        if fork.form == _LOCAL:
            return fork.body[:size]
        step = self.geometry.block
        source = RunSource(self.source, self._runs(fork), MAX_LINK * 2)
        data = source.read_at(0, MAX_LINK * 2)
        blocks = (data[at : at + step] for at in range(0, len(data), step))
        return b"".join(block[56:] if block[:4] == b"XSLM" else block for block in blocks)[:size]

    # --- folders --------------------------------------------------------------------------------------------------

    def _list(self, node: Node) -> dict[bytes, Node]:
        found: dict[bytes, Node] = {}
        for name, number in self.names(node):
            self._enter(found, name, partial(self.node, number))
        return found

    def names(self, node: Node) -> Iterator[tuple[bytes, int]]:
        """Yield (name, inode number) of a folder's entries as its blocks have them; the inodes are not read."""
        fork = self._fork(self._inode(node.inode))
        if fork.form == _LOCAL:
            return self._short_names(fork.body)
        return self._long_names([run for run in self._runs(fork) if run.start < LEAVES_AT], node)

    def _short_names(self, body: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield names of a folder that is kept in its inode."""
        count, wide = (body[0] or body[1], bool(body[1])) if len(body) > 6 else (0, False)
        width, at = (8, 10) if wide else (4, 6)
        typed = int(self.geometry.typed)
        for _ in range(count):
            length = body[at] if at < len(body) else 0
            end = at + 3 + length + typed
            if not length or end + width > len(body):
                raise ParseError("image.damaged", cause="folder in an inode")
            yield body[at + 3 : at + 3 + length], int.from_bytes(body[end : end + width], "big")
            at = end + width

    def _long_names(self, runs: list[Run], node: Node) -> Iterator[tuple[bytes, int]]:
        end = min(max((run.start + run.length for run in runs), default=0), MAX_FOLDER)
        self._listing.spend(end)
        step = self.geometry.folder_block
        source = RunSource(self.source, runs, end)
        for at in range(0, end, step):
            block = source.read_at(at, step)
            if block[:4] in (b"XD2B", b"XDB3", b"XD2D", b"XDD3"):
                yield from self._block_names(block)
            elif block.strip(b"\0"):
                self.notes.miss(f"inode {node.inode}", "damaged", "folder block")

    def _block_names(self, block: bytes) -> Iterator[tuple[bytes, int]]:
        at, end = (64 if block[3:4] == b"3" else 16), len(block)
        if block[:4] in (b"XD2B", b"XDB3"):
            end -= 8 + 8 * int.from_bytes(block[-8:-4], "big")  # the index of names stands at the end
        typed = int(self.geometry.typed)
        while at + 12 <= end:
            if block[at : at + 2] == b"\xff\xff":
                length = int.from_bytes(block[at + 2 : at + 4], "big")
                if length < 8:
                    return
                at += length
                continue
            length = block[at + 8]
            yield block[at + 9 : at + 9 + length], int.from_bytes(block[at : at + 8], "big")
            at += -(-(11 + length + typed) // 8) * 8

    # --- extended attributes --------------------------------------------------------------------------------------

    def _xattrs(self, raw: bytes) -> dict[str, bytes]:
        fork = self._fork(raw, attributes=True)
        if not fork.body:
            return {}
        if fork.form == _LOCAL:
            return short_attributes(fork.body)
        runs = list(self._runs(fork))
        end = min(max((run.start + run.length for run in runs), default=0), MAX_ATTRIBUTES)
        return leaf_attributes(RunSource(self.source, runs, end), self.geometry.block, self.geometry.checked)


def _time(raw: bytes, large: bool) -> float:
    """Return a time: seconds and nanoseconds, or nanoseconds since December 1901."""
    if large:
        return BIGTIME_EPOCH + int.from_bytes(raw, "big") / 1e9
    seconds, nanoseconds = struct.unpack(">iI", raw)
    return int(seconds) + int(nanoseconds) / 1e9
