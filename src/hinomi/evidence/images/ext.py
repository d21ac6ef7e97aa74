"""ext2, ext3 and ext4 as a tree, read in place. Format: the kernel's Documentation/filesystems/ext4.

Nothing is trusted: every number is checked against the image, folders and extents are bounded, holes cost nothing.
The journal is not replayed: an image taken while it was mounted is read as it stands, and that is said.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from hinomi.evidence.archives.source import BytesSource, Source
from hinomi.evidence.images.extmap import BlockMap
from hinomi.evidence.images.lazy import LazyTree
from hinomi.evidence.images.tree import KINDS, Node
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

SUPERBLOCK_AT = 1024
ROOT = 2
MAX_FOLDER = 64 << 20
MAX_CACHED_TABLES = 512
MAX_VALUE = 1 << 16
_META_BG, _BITS64, _RECOVER, _JOURNAL_DEVICE, _INLINE = 0x10, 0x80, 0x4, 0x8, 0x8000
_EXTENTS, _INLINE_DATA, _ENCRYPTED = 0x80000, 0x10000000, 0x800
_PREFIXES = {1: "user.", 2: "system.posix_acl_access", 3: "system.posix_acl_default", 4: "trusted.", 6: "security.",
             7: "system.", 8: "system.richacl"}  # fmt: skip
_INODE = struct.Struct("<HHIIIIIHHII4s60sIIIIHHHHHH")


class Superblock(NamedTuple):
    """What an ext file system says of itself. Times are seconds since 1970 UTC."""

    block_size: int
    blocks: int
    inodes: int
    blocks_per_group: int
    inodes_per_group: int
    inode_size: int
    descriptor_size: int
    first_data_block: int
    first_meta_group: int
    incompatible: int
    mount_count: int
    mounted_at: int
    written_at: int
    made_at: int
    last_mounted: bytes
    kilobytes_written: int


def read_superblock(source: Source) -> Superblock:
    """Return the superblock; `ParseError` where there is none that makes sense."""
    s = source.read_at(SUPERBLOCK_AT, 1024)
    if len(s) < 1024 or s[56:58] != b"\x53\xef":
        raise ParseError("image.damaged", cause="no ext superblock")
    inodes, blocks = struct.unpack_from("<II", s, 0)
    first_data, log_size = struct.unpack_from("<II", s, 20)
    per_group, _, inodes_per_group, mounted, written = struct.unpack_from("<IIIII", s, 32)
    revision = int.from_bytes(s[76:80], "little")
    incompatible = int.from_bytes(s[96:100], "little") if revision else 0
    inode_size = int.from_bytes(s[88:90], "little") if revision else 128
    wide = bool(incompatible & _BITS64)
    descriptor = max(int.from_bytes(s[254:256], "little"), 64) if wide else 32
    if wide:
        blocks |= int.from_bytes(s[336:340], "little") << 32
    if log_size > 6 or not per_group or not inodes_per_group or not 128 <= inode_size <= 1024 << log_size:
        raise ParseError("image.damaged", cause="ext superblock")
    return Superblock(
        1024 << log_size,
        blocks,
        inodes,
        per_group,
        inodes_per_group,
        inode_size,
        min(descriptor, 1024),
        first_data,
        int.from_bytes(s[260:264], "little"),
        incompatible,
        int.from_bytes(s[52:54], "little"),
        mounted,
        written,
        int.from_bytes(s[264:268], "little"),
        s[136:200].split(b"\0")[0],
        int.from_bytes(s[376:384], "little"),
    )


class ExtTree(LazyTree):
    """An ext file system (implements `Tree`); folders are listed when asked for, and remembered for a while."""

    kind = "ext"

    def __init__(self, source: Source) -> None:
        """Read the superblock and the root; `ParseError` where they are damaged or cannot be understood."""
        super().__init__(source)
        self.superblock = sb = read_superblock(source)
        if sb.incompatible & _JOURNAL_DEVICE:
            raise ParseError("image.unsupported", cause="an external journal, no file system")
        if sb.incompatible & _RECOVER:
            self.notes.miss("", "changed", "journal not replayed: the image was taken while in use")
        self._tables: Kept[int] = Kept(1 << 16)
        self._pages: Kept[bytes] = Kept(MAX_CACHED_TABLES)
        self.root = self.node(ROOT)
        self._need_folder()

    def _list(self, node: Node) -> dict[bytes, Node]:
        found: dict[bytes, Node] = {}
        for name, inode in self.names(node):
            self._enter(found, name, partial(self.node, inode))
        return found

    def names(self, node: Node) -> Iterator[tuple[bytes, int]]:
        """Yield (name, inode number) of a folder's entries as its blocks have them; the inodes are not read."""
        content = node.content() if node.content is not None else BytesSource(b"")
        data = content.read_at(0, min(content.size, MAX_FOLDER))
        self._listing.spend(len(data))
        if content.size > MAX_FOLDER:
            self.notes.miss(f"inode {node.inode}", "too-large", "folder")
        step = self.superblock.block_size
        start = 4 if isinstance(content, InlineFolder) else 0
        for at in range(start, len(data), step):
            yield from self._scan(data[at : at + step], node.inode)

    def _scan(self, block: bytes, folder: int) -> Iterator[tuple[bytes, int]]:
        at = 0
        while at + 8 <= len(block):
            inode, length, name_length = struct.unpack_from("<IHB", block, at)
            if length < 8 or at + length > len(block) + 4 or 8 + name_length > length:
                if block[at:].strip(b"\0"):
                    self.notes.miss(f"inode {folder}", "damaged", "folder block")
                return
            name = block[at + 8 : at + 8 + name_length]
            at += length
            if inode and name:
                yield name, inode

    # --- inodes ---------------------------------------------------------------------------------------------------

    def node(self, number: int) -> Node:
        """Return an inode as a node; `ParseError` where it is not in use or damaged."""
        raw = self._inode(number)
        (mode, uid, size, atime, ctime, mtime, _, gid, links, sectors, flags, _, body, _, acl, high, _, sectors_high,
         acl_high, uid_high, gid_high, _, _) = _INODE.unpack_from(raw)  # fmt: skip
        del atime
        kind = KINDS.get(mode & 0o170000)
        if kind is None:
            raise ParseError("image.damaged", cause=f"mode {mode:o}")
        if kind in ("file", "directory"):
            size |= high << 32
        extra = raw[128:] if len(raw) > 132 and int.from_bytes(raw[128:130], "little") >= 24 else b""
        node = Node(kind, mode & 0o7777, uid | uid_high << 16, gid | gid_high << 16, size, inode=number)
        node.links = links
        node.flags = flags
        node.blocks = sectors | sectors_high << 32
        node.mtime = _time(mtime, extra[8:12])
        node.ctime = _time(ctime, extra[4:8])
        node.btime = _time(int.from_bytes(extra[16:20], "little"), extra[20:24]) if extra else None
        node.xattrs = partial(self._xattrs, raw, acl | acl_high << 32)
        if kind == "symlink":
            node.link = self._link(raw, body, size, flags)
        elif kind in ("file", "directory"):
            node.content = partial(self._content, raw, body, size, flags, kind == "directory")
        return node

    def _inode(self, number: int) -> bytes:
        sb = self.superblock
        if not 1 <= number <= sb.inodes:
            raise ParseError("image.damaged", cause=f"inode {number} outside the table")
        group, index = divmod(number - 1, sb.inodes_per_group)
        at = self._table(group) * sb.block_size + index * sb.inode_size
        page = at >> 14
        block = self._page(page)
        raw = block[at & 0x3FFF : (at & 0x3FFF) + sb.inode_size]
        if len(raw) < sb.inode_size:
            raw = self.source.read_at(at, sb.inode_size)
        if len(raw) < sb.inode_size:
            raise ParseError("image.truncated", cause=f"inode {number}")
        return raw

    def _page(self, page: int) -> bytes:
        return self._pages.get(page, lambda: self.source.read_at(page << 14, 1 << 14))

    def _table(self, group: int) -> int:
        """Return the block where a group's inodes begin."""
        return self._tables.get(group, lambda: self._find_table(group))

    def _find_table(self, group: int) -> int:
        return address_in(self.descriptor(group), 8)

    def descriptor(self, group: int) -> bytes:
        """Return a group's descriptor."""
        sb = self.superblock
        per_block = sb.block_size // sb.descriptor_size
        meta, inside = divmod(group, per_block)
        block = sb.first_data_block + 1 + meta
        if sb.incompatible & _META_BG and meta >= sb.first_meta_group:
            first = meta * per_block
            block = sb.first_data_block + first * sb.blocks_per_group + (1 if _has_super(first) else 0)
        raw = self.source.read_at(block * sb.block_size + inside * sb.descriptor_size, sb.descriptor_size)
        if len(raw) < 32:
            raise ParseError("image.truncated", cause=f"group {group}")
        return raw

    # --- what hangs on an inode -----------------------------------------------------------------------------------

    def _content(self, raw: bytes, body: bytes, size: int, flags: int, folder: bool) -> Source:
        if flags & _ENCRYPTED:
            raise ParseError("image.encrypted", cause="encrypted by the file system")
        if flags & _INLINE_DATA:
            data = (body + self._attributes(raw, 0).get("system.data", b""))[:size]
            return InlineFolder(data) if folder else BytesSource(data)
        return BlockMap(self.source, self.superblock.block_size, body, size, extents=bool(flags & _EXTENTS))

    def _link(self, raw: bytes, body: bytes, size: int, flags: int) -> bytes:
        if size < 60 and not flags & _EXTENTS:
            return body[:size]
        return self._content(raw, body, min(size, 4096), flags, False).read_at(0, min(size, 4096))

    def _xattrs(self, raw: bytes, acl: int) -> dict[str, bytes]:
        found = self._attributes(raw, acl)
        found.pop("system.data", None)
        return found

    def _attributes(self, raw: bytes, acl: int) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        start = 128 + int.from_bytes(raw[128:130], "little") if len(raw) > 132 else len(raw)
        if raw[start : start + 4] == b"\x00\x00\x02\xea":
            _read_attributes(raw[start + 4 :], raw[start + 4 :], found)
        if acl:
            block = self.source.read_at(acl * self.superblock.block_size, self.superblock.block_size)
            if block[:4] == b"\x00\x00\x02\xea":
                _read_attributes(block[32:], block, found)
        return found


class InlineFolder(BytesSource):
    """A folder kept in its inode: the parent's number stands before the entries."""


def _read_attributes(entries: bytes, values: bytes, found: dict[str, bytes]) -> None:
    at = 0
    while at + 16 <= len(entries) and entries[at : at + 4] != b"\0\0\0\0" and len(found) < 64:
        length, prefix, offset, elsewhere, size = struct.unpack_from("<BBHII", entries, at)
        name = entries[at + 16 : at + 16 + length].decode("utf-8", "replace")
        if not elsewhere and size <= MAX_VALUE:
            found[_PREFIXES.get(prefix, "") + name] = values[offset : offset + size]
        at += -(-(16 + length) // 4) * 4


def address_in(descriptor: bytes, at: int) -> int:
    """Return a block's number from a group's descriptor: its low half at `at`, the high half 32 bytes on."""
    low = int.from_bytes(descriptor[at : at + 4], "little")
    high = int.from_bytes(descriptor[at + 32 : at + 36], "little") if len(descriptor) >= 64 else 0
    return low | high << 32


def _has_super(group: int) -> bool:
    """Whether a group holds a copy of the superblock (sparse_super: 0, 1 and powers of 3, 5 and 7)."""
    if group < 2:
        return True
    for base in (3, 5, 7):
        number = group
        while number % base == 0:
            number //= base
        if number == 1:
            return True
    return False


def _time(seconds: int, extra: bytes) -> float:
    """Return a time; two low bits of the extra field extend the epoch, the rest are nanoseconds."""
    signed = seconds - (1 << 32) if seconds & 0x80000000 else seconds
    if len(extra) < 4:
        return float(signed)
    more = int.from_bytes(extra, "little")
    return signed + ((more & 3) << 32) + (more >> 2) / 1e9
