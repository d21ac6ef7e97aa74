"""Just enough of SQLite's file format to read the rows of one table from any seekable file, within bounds.

A package database out of an examined target is hostile input: its schema may hold views and triggers, and the library
would want a path. Here nothing is executed and no page is visited twice (format: sqlite.org/fileformat2.html).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from hinomi.model.errors import ParseError

MAGIC = b"SQLite format 3\x00"
MAX_PAGES = 4_000_000
MAX_PAYLOAD = 64 << 20
_WAL_HEADER, _FRAME_HEADER = 32, 24
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Value = int | bytes | None
"""A column: integers, and the bytes of texts and blobs; floating-point values are given as None."""


class Database:
    """An open database file, with its write-ahead log where there is one."""

    def __init__(self, file: BinaryIO, wal: BinaryIO | None = None) -> None:
        """Read the header; `ParseError` where this is no SQLite database."""
        self._file = file
        header = file.read(100)
        if len(header) < 100 or not header.startswith(MAGIC):
            raise ParseError("damaged", cause="no SQLite header")
        size = int.from_bytes(header[16:18], "big")
        self._page_size = 65536 if size == 1 else size
        if self._page_size < 512 or self._page_size & (self._page_size - 1):
            raise ParseError("damaged", cause="page size")
        self._usable = self._page_size - header[20]
        if self._usable < 480:
            raise ParseError("damaged", cause="reserved space")
        self._wal = wal
        self._in_wal = self._committed(wal) if wal is not None else {}

    def rows(self, table: str) -> Iterator[list[Value]]:
        """Yield the rows of a table in rowid order; `ParseError` where it is missing or damaged."""
        for row in self._tree(1):
            if len(row) >= 4 and row[0] == b"table" and row[1] == table.encode() and isinstance(row[3], int):
                yield from self._tree(row[3])
                return
        raise ParseError("damaged", cause=f"no table {table}")

    def _tree(self, root: int) -> Iterator[list[Value]]:
        """Walk a table B-tree, left to right."""
        seen: set[int] = set()
        stack = [root]
        while stack:
            number = stack.pop()
            if number in seen or len(seen) >= MAX_PAGES:
                raise ParseError("damaged", cause="a page is used twice")
            seen.add(number)
            page = self._page(number)
            start = 100 if number == 1 else 0
            kind, count = page[start], int.from_bytes(page[start + 3 : start + 5], "big")
            pointers = (
                struct.unpack_from(f">{count}H", page, start + (12 if kind == 5 else 8)) if self._fits(count) else ()
            )
            if kind == 13:
                for at in pointers:
                    yield self._leaf(page, at)
            elif kind == 5:
                children = [int.from_bytes(page[at : at + 4], "big") for at in pointers]
                stack.append(int.from_bytes(page[start + 8 : start + 12], "big"))
                stack.extend(reversed(children))
            else:
                raise ParseError("damaged", cause="unexpected kind of page")

    def _fits(self, count: int) -> bool:
        if count * 2 + 112 > self._page_size:
            raise ParseError("damaged", cause="too many cells in a page")
        return True

    def _leaf(self, page: bytes, at: int) -> list[Value]:
        size, at = _varint(page, at)
        _, at = _varint(page, at)
        return _record(self._payload(page, at, size))

    def _payload(self, page: bytes, at: int, size: int) -> bytes:
        """Return a cell's payload, following its chain of overflow pages."""
        if not 0 <= size <= MAX_PAYLOAD:
            raise ParseError("damaged", cause="payload size")
        largest = self._usable - 35
        if size <= largest:
            return page[at : at + size]
        smallest = (self._usable - 12) * 32 // 255 - 23
        local = smallest + (size - smallest) % (self._usable - 4)
        local = local if local <= largest else smallest
        parts = [page[at : at + local]]
        following = int.from_bytes(page[at + local : at + local + 4], "big")
        left = size - local
        while left > 0:  # ends: every turn takes bytes off, and a page that is not there is an error
            overflow = self._page(following)
            following = int.from_bytes(overflow[:4], "big")
            parts.append(overflow[4 : 4 + min(left, self._usable - 4)])
            left -= self._usable - 4
        return b"".join(parts)

    def _page(self, number: int) -> bytes:
        if number in self._in_wal and self._wal is not None:
            self._wal.seek(self._in_wal[number])
            page = self._wal.read(self._page_size)
        elif 0 < number <= MAX_PAGES:
            self._file.seek((number - 1) * self._page_size)
            page = self._file.read(self._page_size)
        else:
            raise ParseError("damaged", cause="page number")
        if len(page) != self._page_size:
            raise ParseError("truncated", cause=f"page {number} lies outside the file")
        return page

    def _committed(self, wal: BinaryIO) -> dict[int, int]:
        """Return {page: offset of its newest committed content in the log}."""
        header = wal.read(_WAL_HEADER)
        if len(header) < _WAL_HEADER or int.from_bytes(header[8:12], "big") != self._page_size:
            return {}
        committed: dict[int, int] = {}
        pending: dict[int, int] = {}
        at = _WAL_HEADER
        for _ in range(MAX_PAGES):
            wal.seek(at)
            frame = wal.read(_FRAME_HEADER)
            if len(frame) < _FRAME_HEADER or frame[8:16] != header[16:24]:  # salts differ: left over from before
                break
            pending[int.from_bytes(frame[:4], "big")] = at + _FRAME_HEADER
            if frame[4:8] != bytes(4):
                committed |= pending
                pending = {}
            at += _FRAME_HEADER + self._page_size
        return committed


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return (value, offset after it)."""
    value = 0
    for i in range(9):
        if at + i >= len(data):
            raise ParseError("truncated", cause="a number is cut")
        byte = data[at + i]
        if i == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    raise ParseError("damaged", cause="a number is too long")


def _record(payload: bytes) -> list[Value]:
    size, at = _varint(payload, 0)
    kinds = []
    while at < min(size, len(payload)):
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    at = size
    for kind in kinds[:2000]:
        value, at = _column(payload, at, kind)
        values.append(value)
    return values


def _column(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in _INTEGERS:
        end = at + _INTEGERS[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind >= 12:
        end = at + (kind - 12) // 2
        return payload[at:end], end
    if kind in (8, 9):
        return kind - 8, at
    return None, at + (8 if kind == 7 else 0)
