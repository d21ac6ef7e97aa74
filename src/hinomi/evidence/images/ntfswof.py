"""Files that Windows compressed for its own use ("CompactOS", WIMBoot's filter): chunks in an alternate stream.

Sources: winnt.h for the reparse point (WOF_EXTERNAL_INFO, FILE_PROVIDER_EXTERNAL_INFO_V1); the stream is laid out as a
packed resource of the WIM format: a table of where chunks begin, then the chunks, some stored as they are.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from hinomi.evidence.archives.lzx import lzx_block
from hinomi.evidence.archives.source import Source
from hinomi.evidence.archives.xpress import xpress_block
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

STREAM = "WofCompressedData".encode("utf-16-le")
TAG = 0x80000017
_BY_FILE = 2  # the provider that keeps the data beside the file; 1 keeps it in an image elsewhere
_METHODS: dict[int, tuple[int, Callable[[bytes, int], bytes]]] = {
    0: (4096, xpress_block),
    1: (32768, lzx_block),
    2: (8192, xpress_block),
    3: (16384, xpress_block),
}
_WIDE_FROM = 1 << 32  # plain bytes from which the table's numbers have eight bytes


def wof_method(point: bytes) -> int | None:
    """Return the method of a file that carries its packed data itself, by its reparse point; None for any other."""
    if len(point) < 24 or int.from_bytes(point[:4], "little") != TAG:
        return None
    version, provider, inner, method = struct.unpack_from("<IIII", point, 8)
    return method if (version, provider, inner) == (1, _BY_FILE, 1) and method in _METHODS else None


class WofSource:
    """The plain content."""

    def __init__(self, packed: Source, size: int, method: int) -> None:
        """Take the packed stream; `size` is the plain content's."""
        self.size = size
        self._packed = packed
        self._chunk, self._unpack = _METHODS[method]
        self._wide = 8 if size >= _WIDE_FROM else 4
        self._chunks = -(-size // self._chunk)
        self._plain: Kept[bytes] = Kept(8)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes, chunk by chunk."""
        return read_in_steps(self.size, self._chunk, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        return self._plain.get(index, lambda: self._read(index))[inside : inside + number]

    def _read(self, index: int) -> bytes:
        start, end = self._place(index), self._place(index + 1)
        size = min(self._chunk, self.size - index * self._chunk)
        raw = self._packed.read_at(start, end - start) if 0 < end - start <= size else b""
        if len(raw) < end - start or not raw:
            raise ParseError("image.damaged", cause="WOF chunk")
        return raw if len(raw) == size else self._unpack(raw, size)

    def _place(self, index: int) -> int:
        """Return where a chunk begins; the first one's place is not in the table."""
        table = (self._chunks - 1) * self._wide
        if index == 0:
            return table
        if index >= self._chunks:
            return self._packed.size
        raw = self._packed.read_at((index - 1) * self._wide, self._wide)
        return table + int.from_bytes(raw, "little")
