"""Deflate data in memory, unpacked in one go: whole where its size is as told, else as far as it is sound."""

from __future__ import annotations

import re
import zlib
from typing import Any

from deflate import DeflateError, deflate_decompress, gzip_decompress

from hinomi.evidence.archives.source import CHUNK, IN_MEMORY, BytesSource, Source
from hinomi.evidence.native import compiled

# What the next member of a gzip file begins with (RFC 1952); nothing that has one of the reserved flags is one.
_ANOTHER_MEMBER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]")


def inflated_whole(packed: Source, size: int) -> BytesSource | None:
    """Return raw deflate data of `size` plain bytes unpacked; None where it is anything else, empty or too large."""
    if not isinstance(packed, BytesSource) or not 0 < size <= IN_MEMORY:
        return None
    return _of_size(deflate_decompress, packed, size)


def gunzipped_whole(packed: Source) -> BytesSource | None:
    """Return one gzip member that is all of `packed`, unpacked and checked; None for anything else.

    libdeflate stops after the first member and does not say where: what could be a second one is left to zlib.
    """
    if not isinstance(packed, BytesSource):
        return None
    size = int.from_bytes(packed.data[-4:], "little")
    if not 0 < size <= IN_MEMORY or another_member(packed.data):
        return None
    return _of_size(gzip_decompress, packed, size)


def another_member(data: bytes | memoryview) -> bool:
    """Whether a gzip member may begin behind the first byte."""
    core = compiled("classes")
    return bool(core.another_member(data)) if core is not None else _ANOTHER_MEMBER.search(data, 1) is not None


def _of_size(unpack: Any, packed: BytesSource, size: int) -> BytesSource | None:
    try:
        plain = unpack(packed.data, size)
    except DeflateError:
        return None
    return BytesSource(plain) if len(plain) == size else None


def before_damage(packed: bytes | memoryview, most: int) -> bytes:
    """Return what raw deflate data gives before it is damaged or ends, at most `most` bytes."""
    plain = bytearray()
    decoder, packed = _steps(zlib.decompressobj(-15), packed, CHUNK >> 4, most, plain)
    _steps(decoder, packed, 1, most, plain)
    return bytes(plain[:most])


def _steps(decoder: Any, packed: bytes | memoryview, step: int, most: int, plain: bytearray) -> tuple[Any, Any]:
    """Inflate in steps; return the decoder and its input as they were before the step that failed."""
    before = decoder
    try:
        while len(plain) < most and not decoder.eof:
            before = decoder.copy() if step > 1 else decoder
            more = decoder.decompress(packed, step)
            if not more:
                break
            plain += more
            packed = decoder.unconsumed_tail
    except zlib.error:
        pass
    return before, packed
