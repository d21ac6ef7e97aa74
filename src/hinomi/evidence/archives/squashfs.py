"""squashfs 4.0 images: every regular file, read in place. Format: the kernel's squashfs_fs.h.

All its compressors are read: gzip, lzma, lzo, xz, lz4 and zstd.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from hinomi.evidence.archives.blocks import lzma_block, xz_block, zlib_block, zstd_block
from hinomi.evidence.archives.lz4 import decompress_block
from hinomi.evidence.archives.lzo import lzo_block
from hinomi.evidence.archives.members import Member, Members
from hinomi.evidence.archives.source import Source, Stream
from hinomi.evidence.archives.streams import UnsupportedError
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

METADATA = 8192
MAX_FOLDERS = 200_000
MAX_CACHED = 256
MAX_BLOCK = 1 << 20
_BLOCK_UNCOMPRESSED = 1 << 24
_NO_FRAGMENT = 0xFFFFFFFF
_SUPER = struct.Struct("<4sIIIIHHHHHHQQQQQQQQ")
_DIRECTORY, _FILE, _LONG_DIRECTORY, _LONG_FILE = 1, 2, 8, 9


class SquashTables:
    """The tables of one image; safe between threads."""

    def __init__(self, source: Source) -> None:
        header = source.read_at(0, _SUPER.size)
        if len(header) < _SUPER.size:
            raise ParseError("archive.truncated", cause="squashfs superblock")
        values = _SUPER.unpack(header)
        self.source = source
        self.block_size = values[3]
        self.fragments = values[4]
        self.unpack = _decompressor(values[5])
        self.root = values[11]
        self.inodes_at, self.directories_at, self.fragments_at = values[15], values[16], values[17]
        if values[9] != 4 or not 4096 <= self.block_size <= MAX_BLOCK:
            raise UnsupportedError("archive.unsupported", cause="squashfs version or block size")
        self._cache: Kept[tuple[bytes, int]] = Kept(MAX_CACHED)

    def metadata(self, at: int) -> tuple[bytes, int]:
        """Return a metadata block's plain bytes and where the next one begins."""
        return self._cache.get(at, lambda: self._metadata(at))

    def _metadata(self, at: int) -> tuple[bytes, int]:
        word = self.source.read_at(at, 2)
        size = int.from_bytes(word, "little") & 0x7FFF
        raw = self.source.read_at(at + 2, size)
        if len(word) < 2 or len(raw) < size or not size:
            raise ParseError("archive.truncated", cause="squashfs metadata")
        plain = raw if word[1] & 0x80 else self.unpack(raw, METADATA)
        return plain, at + 2 + size

    def read(self, at: int, offset: int, length: int) -> bytes:
        """Return `length` bytes of metadata, across blocks."""
        out = b""
        while len(out) < length:
            plain, at = self.metadata(at)
            out += plain[offset : offset + length - len(out)]
            offset = max(0, offset - len(plain))
        return out

    def block(self, at: int, word: int, limit: int) -> bytes:
        """Return a data block's plain bytes; `word` is its size with the 'not compressed' bit."""
        size = word & (_BLOCK_UNCOMPRESSED - 1)
        if not size:
            return bytes(limit)  # a hole
        raw = self.source.read_at(at, size)
        if len(raw) < size or size > MAX_BLOCK:
            raise ParseError("archive.truncated", cause="squashfs block")
        return raw if word & _BLOCK_UNCOMPRESSED else self.unpack(raw, self.block_size)

    def fragment(self, index: int) -> bytes:
        """Return the block that holds the tails of several files."""
        if index >= self.fragments:
            raise ParseError("archive.damaged", cause="squashfs fragment")
        table = int.from_bytes(self.source.read_at(self.fragments_at + index // 512 * 8, 8), "little")
        start, word = struct.unpack("<QI", self.read(table, index % 512 * 16, 12))
        return self.block(start, word, self.block_size)


def read_squashfs(source: Source) -> Members:
    """Yield every regular file; `ParseError` where the tables are damaged."""
    image = SquashTables(source)
    folders = [(b"", *_split(image.root))]
    seen = {image.root}
    for prefix, at, offset in folders:
        for name, inode in _children(image, at, offset):
            kind = int.from_bytes(image.read(image.inodes_at + inode[0], inode[1], 2), "little")
            if kind in (_FILE, _LONG_FILE):
                yield _file(image, prefix + name, kind, inode)
            elif kind in (_DIRECTORY, _LONG_DIRECTORY):
                key = inode[0] << 16 | inode[1]
                if key not in seen and len(seen) < MAX_FOLDERS:
                    seen.add(key)
                    folders.append((prefix + name + b"/", *inode))


def _split(reference: int) -> tuple[int, int]:
    return reference >> 16, reference & 0xFFFF


def _children(image: SquashTables, at: int, offset: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield (name, where the inode is) for a folder's entries."""
    inode = image.read(image.inodes_at + at, offset, 32)
    kind = int.from_bytes(inode[:2], "little")
    if kind == _DIRECTORY:
        start, _, size, first = struct.unpack_from("<IIHH", inode, 16)
    elif kind == _LONG_DIRECTORY:
        inode = image.read(image.inodes_at + at, offset, 40)
        _, size, start, _, _, first = struct.unpack_from("<IIIIHH", inode, 16)
    else:
        raise ParseError("archive.damaged", cause="squashfs folder")
    if size <= 3:
        return
    data = image.read(image.directories_at + start, first, min(size - 3, 64 << 20))
    position = 0
    while position + 12 <= len(data):
        count, block, _ = struct.unpack_from("<III", data, position)
        position += 12
        for _ in range(min(count + 1, 256)):
            if position + 8 > len(data):
                return
            inode_offset, _, _, length = struct.unpack_from("<HhHH", data, position)
            yield data[position + 8 : position + 9 + length], (block, inode_offset)
            position += 9 + length


def _file(image: SquashTables, name: bytes, kind: int, at: tuple[int, int]) -> Member:
    if kind == _FILE:
        body = image.read(image.inodes_at + at[0], at[1], 32)
        start, fragment, inside, size = struct.unpack_from("<IIII", body, 16)
        head = 32
    else:
        body = image.read(image.inodes_at + at[0], at[1], 56)
        start, size, _, _, fragment, inside, _ = struct.unpack_from("<QQQIIII", body, 16)
        head = 56
    return Member(name, size, Stream(_content(image, at, head, start, size, fragment, inside)))


def _content(
    image: SquashTables, at: tuple[int, int], head: int, start: int, size: int, fragment: int, inside: int
) -> Iterator[bytes]:
    whole = size // image.block_size + (1 if fragment == _NO_FRAGMENT and size % image.block_size else 0)
    left = size
    for index in range(whole):
        word = int.from_bytes(image.read(image.inodes_at + at[0], at[1] + head + 4 * index, 4), "little")
        plain = image.block(start, word, min(image.block_size, left))
        start += word & (_BLOCK_UNCOMPRESSED - 1)
        left -= len(plain)
        yield plain
    if fragment != _NO_FRAGMENT and left > 0:
        yield image.fragment(fragment)[inside : inside + left]


_COMPRESSORS: dict[int, Callable[[bytes, int], bytes]] = {
    1: zlib_block,
    2: lzma_block,
    3: lzo_block,
    4: xz_block,
    5: lambda raw, limit: decompress_block(raw, limit, b""),
    6: zstd_block,
}


def _decompressor(number: int) -> Callable[[bytes, int], bytes]:
    if number not in _COMPRESSORS:
        raise UnsupportedError("archive.unsupported", cause=f"squashfs compressor {number}")
    return _COMPRESSORS[number]
