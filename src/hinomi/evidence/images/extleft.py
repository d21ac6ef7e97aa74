"""What deletions left in an ext image: names in the slack of folders, inodes no longer in use, content of free blocks.

Format: the kernel's Documentation/filesystems/ext4 (group descriptors, bitmaps, directory entries, inodes).
Everything is bounded: groups, inodes, bytes of free blocks read, rows.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice

from hinomi.evidence.images.ext import ExtTree, address_in
from hinomi.evidence.images.runs import RunSource
from hinomi.evidence.images.tree import as_damage
from hinomi.model.errors import ParseError
from hinomi.model.tables.images import ImageLeftover
from hinomi.model.text import path_text, printable

MAX_IMAGE = 256 << 20  # larger ones are disks in use, where leftovers say nothing
MAX_INODES = 1 << 20
MAX_TABLES = 512 << 20  # bytes of inode tables
MAX_READ = 128 << 20  # bytes of free blocks
MAX_ROWS = 500
MAX_TEXT = 2000
FOLDER_LIMIT = 4 << 20  # bytes of one folder
_FIRST = 11  # inodes below are the file system's own
_NO_INODES, _NO_BLOCKS = 1, 2  # a group's flags: bitmap not written, nothing in use
_INDEXED = 0x1000
_PLAIN = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]{16,}")
_ENTRY = struct.Struct("<IHBB")


def leftovers(image: str, tree: ExtTree) -> Iterator[ImageLeftover]:
    """Yield at most 500 remnants in order of kinds and places; damage ends the search of its part."""
    if tree.source.size <= MAX_IMAGE:
        search = _Search(image, tree)
        for part in (search.inodes, search.names, search.blocks):
            yield from islice(_guarded(part()), MAX_ROWS)


def _guarded(rows: Iterator[ImageLeftover]) -> Iterator[ImageLeftover]:
    try:
        with as_damage():
            yield from rows
    except ParseError:
        return  # the walk says what is damaged


class _Search:
    """One image's bitmaps and tables."""

    def __init__(self, image: str, tree: ExtTree) -> None:
        self._image = image
        self._tree = tree
        self._source = tree.source
        self._block = tree.superblock.block_size
        sb = tree.superblock
        self._groups = -(-max(0, sb.blocks - sb.first_data_block) // sb.blocks_per_group)

    # --- inodes ---------------------------------------------------------------------------------------------------

    def inodes(self) -> Iterator[ImageLeftover]:
        """Yield inodes that were freed but not wiped, and those in use that no name leads to."""
        for number, offset, raw, used in self._all_inodes():
            mode, size, links = raw[0:2], int.from_bytes(raw[4:8], "little"), int.from_bytes(raw[26:28], "little")
            deleted = float(int.from_bytes(raw[20:24], "little")) or None
            if number < _FIRST or (mode == b"\0\0" and deleted is None):
                continue
            if not used or links == 0:
                yield ImageLeftover(
                    image=self._image, kind="orphan-inode" if used else "deleted-inode", offset=offset, size=size,
                    inode=number, at=deleted,
                )  # fmt: skip

    def _all_inodes(self) -> Iterator[tuple[int, int, bytes, bool]]:
        """Yield (number, offset, first 128 bytes, in use) of inodes whose table was written."""
        sb = self._tree.superblock
        left, unread = MAX_INODES, MAX_TABLES
        for group in range(self._groups):
            descriptor = self._tree.descriptor(group)
            if left <= 0 or unread <= 0:
                return
            if descriptor[18] & _NO_INODES:
                continue
            count = min(sb.inodes_per_group, left)
            left -= count
            bitmap = self._source.read_at(address_in(descriptor, 4) * self._block, -(-sb.inodes_per_group // 8))
            start = address_in(descriptor, 8) * self._block
            table = self._source.read_at(start, min(unread, count * sb.inode_size))
            unread -= len(table)
            for index in range(min(count, len(table) // sb.inode_size, 8 * len(bitmap))):
                at = index * sb.inode_size
                raw = table[at : at + 128]
                if any(raw[:28]):
                    used = bool(bitmap[index >> 3] >> (index & 7) & 1)
                    yield group * sb.inodes_per_group + index + 1, start + at, raw, used

    # --- names ----------------------------------------------------------------------------------------------------

    def names(self) -> Iterator[ImageLeftover]:
        """Yield names that still stand between a folder's entries."""
        for number, _, raw, used in self._all_inodes():
            if used and raw[1] >> 4 == 4:
                yield from self._names_in(number, indexed=bool(int.from_bytes(raw[32:36], "little") & _INDEXED))

    def _names_in(self, number: int, *, indexed: bool) -> Iterator[ImageLeftover]:
        content = self._content(number)
        if content is None:
            return
        for start in range(0, min(content.size, FOLDER_LIMIT), self._block):
            block, place = content.read_at(start, self._block), content.place_of(start)
            if place is None or (indexed and (start == 0 or block[4:6] == self._block.to_bytes(2, "little"))):
                continue  # of an indexed folder, some blocks are the index
            for at, inode, name in self._slack(block):
                yield ImageLeftover(
                    image=self._image, kind="deleted-name", offset=place + at, inode=inode,
                    name=printable(path_text(name)), folder=number,
                )  # fmt: skip

    def _content(self, number: int) -> RunSource | None:
        try:
            node = self._tree.node(number)
            content = node.content() if node.content is not None else None
        except ParseError:
            return None
        return content if isinstance(content, RunSource) else None

    def _slack(self, block: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yield (offset, inode, name) of what looks like an entry after the end of one that is in use."""
        at = 0
        while at + 8 <= len(block):
            inode, length, name_length, _ = _ENTRY.unpack_from(block, at)
            if length < 8 or at + length > len(block):
                return
            inner = at if not inode and name_length else at + (8 + name_length + 3 & ~3)
            while inner + 12 <= at + length:
                found = self._entry(block, inner, at + length)
                if found is not None:
                    yield inner, *found
                    inner += 8 + len(found[1]) + 3 & ~3
                else:
                    inner += 4
            at += length

    def _entry(self, block: bytes, at: int, end: int) -> tuple[int, bytes] | None:
        inode, length, name_length, kind = _ENTRY.unpack_from(block, at)
        name = block[at + 8 : at + 8 + name_length]
        sound = name_length and length % 4 == 0 and 8 + name_length <= length and at + 8 + name_length <= end
        if not sound or inode > self._tree.superblock.inodes or kind > 7 or name in (b".", b".."):
            return None
        if b"/" in name or any(byte < 0x20 for byte in name):
            return None
        return inode, name

    # --- blocks ---------------------------------------------------------------------------------------------------

    def blocks(self) -> Iterator[ImageLeftover]:
        """Yield free blocks that are not empty, neighbours together."""
        start, data = 0, b""
        for at, block in self._free():
            if data and at == start + len(data) and len(data) < 1 << 20:
                data += block
                continue
            if data:
                yield self._freed(start, data)
            start, data = at, block
        if data:
            yield self._freed(start, data)

    def _freed(self, start: int, data: bytes) -> ImageLeftover:
        found = _PLAIN.match(data)
        text = printable(found.group()[:MAX_TEXT].decode("utf-8", "replace"), keep_newlines=True) if found else None
        return ImageLeftover(image=self._image, kind="freed-blocks", offset=start, size=len(data), text=text)

    def _free(self) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, content) of free blocks with content."""
        sb = self._tree.superblock
        left = MAX_READ
        for group in range(self._groups):
            descriptor = self._tree.descriptor(group)
            if descriptor[18] & _NO_BLOCKS:
                continue
            bitmap = self._source.read_at(address_in(descriptor, 0) * self._block, -(-sb.blocks_per_group // 8))
            first = sb.first_data_block + group * sb.blocks_per_group
            for index in range(min(sb.blocks_per_group, sb.blocks - first, 8 * len(bitmap))):
                if bitmap[index >> 3] >> (index & 7) & 1:
                    continue
                left -= self._block
                if left < 0:
                    return
                block = self._source.read_at((first + index) * self._block, self._block)
                if block.strip(b"\0"):
                    yield (first + index) * self._block, block
