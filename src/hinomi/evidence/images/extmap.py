"""Where an ext file's blocks are: extent trees and the older indirect blocks, as a source."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.runs import Run, RunSource
from hinomi.model.errors import ParseError

MAX_EXTENTS = 1 << 20
MAX_DEPTH = 5
MAX_POINTER_BLOCKS = 1 << 16


class BlockMap(RunSource):
    """A file's content. Extents are (first block in the file, first block in the image or 0 for zeros, blocks)."""

    def __init__(self, source: Source, block_size: int, body: bytes, size: int, *, extents: bool) -> None:
        self._image = source
        self._file_size = size
        self._block = block_size
        self._spent = 0
        self._most = source.size // block_size  # pointer blocks are blocks of the image too
        found = self._extents(body, 0) if extents else self._indirect(body)
        super().__init__(source, (self._run(*extent) for extent in found), size)

    def _run(self, first: int, place: int, count: int) -> Run:
        return Run(first * self._block, count * self._block, place * self._block or None)

    # --- extents --------------------------------------------------------------------------------------------------

    def _extents(self, node: bytes, depth: int) -> Iterator[tuple[int, int, int]]:
        if node[:2] != b"\x0a\xf3" or depth > MAX_DEPTH:
            raise ParseError("image.damaged", cause="extent tree")
        count, _, level = struct.unpack_from("<HHH", node, 2)
        for at in range(12, min(12 + 12 * count, len(node) - 11), 12):
            self._spent += 1
            if self._spent > MAX_EXTENTS:
                raise ParseError("image.damaged", cause="too many extents")
            if level == 0:
                yield _extent(node, at)
            else:
                low, high = struct.unpack_from("<IH", node, at + 4)
                yield from self._extents(self._image.read_at((high << 32 | low) * self._block, self._block), depth + 1)

    # --- indirect blocks ------------------------------------------------------------------------------------------

    def _indirect(self, body: bytes) -> Iterator[tuple[int, int, int]]:
        pointers = struct.unpack("<15I", body)
        per = self._block // 4
        yield from _runs(pointers[:12], 0)
        first = 12
        for level, pointer in enumerate(pointers[12:], 1):
            if pointer and first * self._block < self._file_size:
                yield from self._level(pointer, level, first)
            first += per**level

    def _level(self, block: int, level: int, first: int) -> Iterator[tuple[int, int, int]]:
        self._spent += 1
        if self._spent > min(MAX_POINTER_BLOCKS, self._most):
            raise ParseError("image.damaged", cause="too many indirect blocks")
        raw = self._image.read_at(block * self._block, self._block)
        pointers = struct.unpack(f"<{len(raw) // 4}I", raw[: len(raw) // 4 * 4])
        if level == 1:
            yield from _runs(pointers, first)
            return
        below = (self._block // 4) ** (level - 1)
        for index, pointer in enumerate(pointers):
            if pointer and (first + index * below) * self._block < self._file_size:
                yield from self._level(pointer, level - 1, first + index * below)


def _extent(node: bytes, at: int) -> tuple[int, int, int]:
    first, length, high, low = struct.unpack_from("<IHHI", node, at)
    unwritten = length > 32768
    return first, 0 if unwritten else high << 32 | low, length - 32768 if unwritten else length


def _runs(pointers: tuple[int, ...], first: int) -> Iterator[tuple[int, int, int]]:
    """Join neighbouring pointers; zero pointers are holes."""
    start = place = count = 0
    for index, pointer in enumerate(pointers):
        if count and pointer == place + count:
            count += 1
            continue
        if count:
            yield start, place, count
        start, place, count = first + index, pointer, 1 if pointer else 0
    if count:
        yield start, place, count
