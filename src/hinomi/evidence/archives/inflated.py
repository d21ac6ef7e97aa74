"""Deflate data in memory, unpacked in one go: whole where its size is as told, else as far as it is sound."""

from __future__ import annotations

import zlib
from types import ModuleType
from typing import Any

from hinomi.evidence.archives.source import CHUNK, IN_MEMORY, BytesSource, Source

_GZIP_HEAD, _GZIP_END = 10, 8
_EXTRA, _NAME, _COMMENT, _HEADER_SUM = 4, 8, 16, 2  # flags of RFC 1952


def inflated_whole(packed: Source, size: int, core: ModuleType | None) -> BytesSource | None:
    """Return raw deflate data of `size` plain bytes unpacked; None where it is anything else, or too large."""
    if core is None or not isinstance(packed, BytesSource) or size > IN_MEMORY:
        return None
    found = core.inflate_whole(packed.data, size)
    return BytesSource(found[0]) if found is not None else None


def gunzipped_whole(packed: Source, core: ModuleType | None) -> BytesSource | None:
    """Return one gzip member that is all of `packed`, unpacked and checked; None for anything else."""
    if core is None or not isinstance(packed, BytesSource) or packed.size <= _GZIP_HEAD + _GZIP_END:
        return None
    data, begin, end = packed.data, _after_header(packed), packed.size - _GZIP_END
    size = int.from_bytes(data[end + 4 :], "little")
    if begin is None or begin >= end or size > IN_MEMORY:
        return None
    found = core.inflate_whole(data[begin:end], size)
    if (
        found is None
        or found[1] != end - begin
        or zlib.crc32(found[0]) != int.from_bytes(data[end : end + 4], "little")
    ):
        return None
    return BytesSource(found[0])


def _after_header(packed: BytesSource) -> int | None:
    """Return where the data of a gzip member begins; None where its header is cut or unusually long."""
    head = packed.read_at(0, CHUNK)
    at, flags = _GZIP_HEAD, head[3]
    if flags & _EXTRA:
        at += 2 + int.from_bytes(head[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            at = head.find(b"\0", at) + 1
            if at == 0:
                return None
    return at + 2 if flags & _HEADER_SUM else at


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
