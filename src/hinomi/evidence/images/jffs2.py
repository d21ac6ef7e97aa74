"""JFFS2 as a tree: a log of nodes, of which the newest count. Format: the kernel's include/uapi/linux/jffs2.h.

Everything is found by one scan: nodes whose check sums are wrong are passed over, as the kernel does, and counted.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Literal, NamedTuple

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.jffs2data import Piece, PiecedContent
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.tree import KINDS, Node
from hinomi.model.errors import ParseError

ROOT = 1
MAX_NODES = 4_000_000
MAX_LENGTH = 1 << 20
MAX_LINK = 4096
WINDOW = 1 << 20
_DENTRY, _INODE, _XATTR, _XREF = 0xE001, 0xE002, 0xE008, 0xE009
_PREFIXES = {
    1: "user.", 2: "security.", 3: "system.posix_acl_access", 4: "system.posix_acl_default", 5: "trusted.",
}  # fmt: skip


class _Inode(NamedTuple):
    """The newest node of a file: its attributes."""

    version: int
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    ctime: int


class Jffs2Tree(LazyTree):
    """A JFFS2 file system (implements `Tree`)."""

    kind = "jffs2"

    def __init__(self, source: Source) -> None:
        """Scan the whole image; `ParseError` where no node of a file or folder is found."""
        super().__init__(source)
        order: Literal["little", "big"] = "little" if source.read_at(0, 2) == b"\x85\x19" else "big"
        self._mark = "<" if order == "little" else ">"
        self._inodes: dict[int, _Inode] = {}
        self._pieces: dict[int, list[Piece]] = {}
        self._entries: dict[int, dict[bytes, tuple[int, int]]] = {}  # folder: name: version, inode or 0 where deleted
        self._values: dict[int, tuple[int, str, bytes]] = {}
        self._attributes: dict[int, set[int]] = {}
        for count, (at, kind, length) in enumerate(self._scan(struct.pack(self._mark + "H", 0x1985))):
            if count >= MAX_NODES:
                raise BudgetError("nodes")
            self._take(at, kind, length)
        if not self._entries:
            raise ParseError("image.damaged", cause="no JFFS2 folder entry")
        self._links = Counter(n for folder in self._entries.values() for _, n in folder.values())
        self.root = self.node(ROOT) if ROOT in self._inodes else Node("directory", 0o755, inode=ROOT)
        self._need_folder()

    # --- the scan -------------------------------------------------------------------------------------------------

    def _scan(self, magic: bytes) -> Iterator[tuple[int, int, int]]:
        """Yield (place, kind, length) of nodes whose header's check sum is right."""
        at = 0
        while at + 12 <= self.source.size:
            window = self.source.read_at(at, WINDOW)
            inside = window.find(magic)
            while inside >= 0 and inside + 12 <= len(window):
                _, kind, length, crc = struct.unpack_from(self._mark + "HHII", window, inside)
                good = not (at + inside) % 4 and 12 <= length <= MAX_LENGTH and _crc(window[inside : inside + 8]) == crc
                if good:
                    yield at + inside, kind, length
                inside = window.find(magic, inside + (-(-length // 4) * 4 if good else 2))
            step = len(window) - 12
            at += step if step > 0 else 12

    def _take(self, at: int, kind: int, length: int) -> None:
        if kind not in (_DENTRY, _INODE, _XATTR, _XREF):
            return
        raw = self.source.read_at(at, min(length, 512))
        least = {_DENTRY: 40, _INODE: 68, _XATTR: 32, _XREF: 28}[kind]
        summed, crc_at = {_DENTRY: (32, 32), _INODE: (60, 64), _XATTR: (28, 28), _XREF: (24, 24)}[kind]
        if len(raw) < least or _crc(raw[:summed]) != self._number(raw, crc_at):
            self.notes.skipped["image:node-with-wrong-sum"] += 1
        elif kind == _DENTRY:
            self._take_entry(raw)
        elif kind == _INODE:
            self._take_inode(at, raw)
        elif kind == _XATTR:
            number, version, prefix, name_length, size = struct.unpack_from(self._mark + "IIBBH", raw, 12)
            body = self.source.read_at(at + 32, name_length + 1 + size)
            name = _PREFIXES.get(prefix, "") + body[:name_length].decode("utf-8", "replace")
            if number not in self._values or self._values[number][0] < version:
                self._values[number] = version, name, body[name_length + 1 :]
        else:
            inode, number = struct.unpack_from(self._mark + "II", raw, 12)
            self._attributes.setdefault(inode, set()).add(number)

    def _number(self, raw: bytes, at: int) -> int:
        return int.from_bytes(raw[at : at + 4], "little" if self._mark == "<" else "big")

    def _take_entry(self, raw: bytes) -> None:
        folder, version, number, _, length = struct.unpack_from(self._mark + "IIIIB", raw, 12)
        name = raw[40 : 40 + length]
        names = self._entries.setdefault(folder, {})
        if name not in names or names[name][0] < version:
            names[name] = version, number

    def _take_inode(self, at: int, raw: bytes) -> None:
        (number, version, mode, uid, gid, size, _, mtime, ctime, offset, packed, plain, method) = struct.unpack_from(
            self._mark + "IIIHHIIIIIIIB", raw, 12
        )
        if number not in self._inodes or self._inodes[number].version < version:
            self._inodes[number] = _Inode(version, mode, uid, gid, size, mtime, ctime)
        if plain:
            self._pieces.setdefault(number, []).append(Piece(version, offset, plain, at + 68, packed, method))

    # --- the tree -------------------------------------------------------------------------------------------------

    def node(self, number: int) -> Node:
        """Return an inode as a node; `ParseError` where the log holds none."""
        inode = self._inodes.get(number)
        kind = KINDS.get(inode.mode & 0o170000) if inode is not None else None
        if inode is None or kind is None:
            raise ParseError("image.damaged", cause=f"no inode {number}")
        node = Node(kind, inode.mode & 0o7777, inode.uid, inode.gid, inode.size, float(inode.mtime), inode=number)
        node.ctime = float(inode.ctime)
        node.links = max(1, self._links[number]) if kind != "directory" else 1
        node.xattrs = partial(self._xattrs, number)
        if kind == "symlink":
            node.size = min(max((piece.plain for piece in self._pieces.get(number, [])), default=0), MAX_LINK)
            node.link = self._content(number, node.size).read_at(0, MAX_LINK)
        elif kind == "file":
            node.content = partial(self._content, number, inode.size)
        return node

    def _list(self, node: Node) -> dict[bytes, Node]:
        found: dict[bytes, Node] = {}
        for name, (_, number) in self._entries.get(node.inode, {}).items():
            if number:
                self._enter(found, name, partial(self.node, number))
            else:
                self.notes.skipped["image:deleted-name"] += 1
        return found

    def _content(self, number: int, size: int) -> Source:
        return PiecedContent(self.source, self._pieces.get(number, []), size)

    def _xattrs(self, number: int) -> dict[str, bytes]:
        listed = (self._values[value] for value in self._attributes.get(number, ()) if value in self._values)
        return {name: value for _, name, value in listed}


def _crc(raw: bytes) -> int:
    """The check sum without inversions."""
    return zlib.crc32(raw, 0xFFFFFFFF) ^ 0xFFFFFFFF
