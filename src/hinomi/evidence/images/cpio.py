"""cpio as a tree: newc, crc, odc and the old binary form, several archives in a row, compressed ones among them.

An initial RAM disk is such a row (kernel documentation, "initramfs buffer format"): later members win. Format: cpio(5).
"""

from __future__ import annotations

import struct
from functools import partial
from typing import NamedTuple

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.kinds import STREAMS, sniff
from hinomi.evidence.archives.source import SliceSource, Source, stream_of
from hinomi.evidence.archives.streams import decompressed
from hinomi.evidence.images.disk import spooled
from hinomi.evidence.images.tree import KINDS, BuiltTree, Node
from hinomi.model.errors import ParseError
from hinomi.model.text import path_text, printable

MAX_NAME = 65536
MAX_LINK = 65536
MAX_PADDING = 1 << 20
_BINARY = (b"\xc7\x71", b"\x71\xc7")


class _Header(NamedTuple):
    """One member's header and where its data is."""

    name: bytes
    mode: int
    uid: int
    gid: int
    links: int
    mtime: int
    device: int
    inode: int
    data: int
    size: int
    end: int


class CpioIndexer:
    """Reads a row of archives into one tree."""

    def __init__(self, limit: int, work: str | None) -> None:
        self.tree = BuiltTree("cpio")
        self._limit = limit
        self._work = work
        self._linked: dict[tuple[int, int, int], list[bytes]] = {}
        self._segment = 0
        self._inode = 0

    def read(self, source: Source, depth: int = 0) -> BuiltTree:
        """Return the tree; `ParseError` where not even the first member can be read."""
        at = 0
        try:
            while at < source.size:
                head = source.read_at(at, 512)
                if not head.strip(b"\0"):
                    at = self._padding(source, at)
                    continue
                lead = len(head) - len(head.lstrip(b"\0"))
                at += lead
                step = self._segment_at(source, at, head[lead:], depth)
                if step is None:
                    break
                at = step
        except ParseError as error:
            if isinstance(error, BudgetError) or (not self.tree.root.children and not depth):
                raise
            self.tree.notes.miss("", _reason(error), f"{error.cause} at byte {at}")
        return self.tree

    def _segment_at(self, source: Source, at: int, head: bytes, depth: int) -> int | None:
        if head[:6] in (b"070701", b"070702", b"070707") or head[:2] in _BINARY:
            self._segment += 1
            return self._archive(source, at)
        kind = sniff(source.read_at(at, 512))
        if kind in STREAMS and kind is not None and depth < 4:
            stream = stream_of(source, at)
            self.read(spooled(decompressed(kind, stream), self._limit, self._work), depth + 1)
            return at + stream.position
        self.tree.notes.miss("", "damaged", f"{source.size - at} bytes of no archive at byte {at}")
        return None

    def _padding(self, source: Source, at: int) -> int:
        """Return where zeros end."""
        while at < source.size:
            block = source.read_at(at, 1 << 16)
            rest = block.lstrip(b"\0")
            at += len(block) - len(rest)
            if rest or not block:
                break
        return at

    def _archive(self, source: Source, at: int) -> int:
        """Read one archive; return where it ends."""
        while True:
            header = _header(source, at)
            if header is None:
                return at
            at = header.end
            if header.name == b"TRAILER!!!":
                self._linked.clear()
                return at
            if header.data + header.size > source.size:
                self.tree.notes.miss(_shown(header.name), "truncated", "cpio ends inside a member")
            self._put(source, header)

    def _put(self, source: Source, header: _Header) -> None:
        kind = KINDS.get(header.mode & 0o170000)
        if kind is None:
            self.tree.notes.miss(_shown(header.name), "damaged", f"mode {header.mode:o}")
            return
        self._pack(header)
        node = Node(kind, header.mode & 0o7777, header.uid, header.gid, inode=self.tree.number())
        node.mtime = float(header.mtime)
        if kind == "symlink":
            node.link = source.read_at(header.data, min(header.size, MAX_LINK))
            node.size = len(node.link)
        elif kind == "file":
            node.size = header.size
            node.content = partial(SliceSource, source, header.data, header.size)
            if header.links > 1 and self._join(node, header):
                return
        self.tree.add(header.name, node)

    def _pack(self, header: _Header) -> None:
        """Keep what the numbering tells: builders number from 0 on no device, disks show theirs."""
        packing = self.tree.packing
        if not packing:
            packing |= {"members": 0, "ordered": True, "device": f"{header.device >> 32}:{header.device & 0xFFFFFFFF}"}
        packing["members"] += 1
        packing["ordered"] = packing["ordered"] and (header.links > 1 or header.inode >= self._inode)
        self._inode = header.inode

    def _join(self, node: Node, header: _Header) -> bool:
        """Hard links share their number; the data stands with one of them only. Return whether it is put already."""
        key = self._segment, header.device, header.inode
        names = self._linked.setdefault(key, [])
        first = self.tree.find(names[0]) if names else None
        names.append(header.name)
        if first is None or first.kind != "file":
            return False
        if header.size:
            first.size, first.content = node.size, node.content
        return self.tree.link(header.name, names[0])


def read_cpio_tree(source: Source, limit: int, work: str | None = None) -> BuiltTree:
    """Return the tree of a cpio or initial RAM disk. `limit` bounds what compressed segments unpack to, in bytes."""
    return CpioIndexer(limit, work).read(source)


def _header(source: Source, at: int) -> _Header | None:
    head = source.read_at(at, 110)
    if head[:6] in (b"070701", b"070702"):
        return _newc(source, at, head)
    if head[:6] == b"070707":
        return _odc(source, at, head)
    if head[:2] in _BINARY:
        return _old(source, at, head)
    if not head.strip(b"\0"):
        return None
    raise ParseError("image.damaged", cause="cpio header")


def _newc(source: Source, at: int, head: bytes) -> _Header:
    if len(head) < 110:
        raise ParseError("image.truncated", cause="cpio header")
    f = [_number(head[6 + 8 * n : 14 + 8 * n], 16) for n in range(13)]
    data = at + -(-(110 + f[11]) // 4) * 4
    name = _name(source, at + 110, f[11])
    device = f[7] << 32 | f[8]
    return _Header(name, f[1], f[2], f[3], f[4], f[5], device, f[0], data, f[6], data + -(-f[6] // 4) * 4)


def _odc(source: Source, at: int, head: bytes) -> _Header:
    if len(head) < 76:
        raise ParseError("image.truncated", cause="cpio header")
    f = [_number(head[a:b], 8) for a, b in ((6, 12), (12, 18), (18, 24), (24, 30), (30, 36), (36, 42))]
    mtime, length, size = _number(head[48:59], 8), _number(head[59:65], 8), _number(head[65:76], 8)
    data = at + 76 + length
    return _Header(_name(source, at + 76, length), f[2], f[3], f[4], f[5], mtime, f[0], f[1], data, size, data + size)


def _old(source: Source, at: int, head: bytes) -> _Header:
    if len(head) < 26:
        raise ParseError("image.truncated", cause="cpio header")
    w = struct.unpack("<13H" if head[:2] == _BINARY[0] else ">13H", head[:26])
    data = at + 26 + w[10] + (w[10] & 1)
    size = w[11] << 16 | w[12]
    name = _name(source, at + 26, w[10])
    return _Header(name, w[3], w[4], w[5], w[6], w[8] << 16 | w[9], w[1], w[2], data, size, data + size + (size & 1))


def _name(source: Source, at: int, length: int) -> bytes:
    return source.read_at(at, min(length, MAX_NAME)).split(b"\0")[0]


def _number(text: bytes, base: int) -> int:
    try:
        return int(text, base) if text.isalnum() else _bad()
    except ValueError:
        return _bad()


def _bad() -> int:
    raise ParseError("image.damaged", cause="cpio header")


def _reason(error: ParseError) -> str:
    last = error.code.rsplit(".", 1)[-1]
    return last if last in ("truncated", "unreadable", "unsupported", "budget") else "damaged"


def _shown(name: bytes) -> str:
    return printable(path_text(name[:200]))
