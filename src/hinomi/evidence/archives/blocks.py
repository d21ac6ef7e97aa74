"""Single compressed blocks to plain bytes, for file systems that compress piece by piece."""

from __future__ import annotations

import lzma
import zlib

from hinomi.evidence.archives.streams import UnsupportedError
from hinomi.model.errors import ParseError

MEMORY_LIMIT = 64 << 20


def zlib_block(raw: bytes, limit: int) -> bytes:
    """Return the plain bytes of a zlib block, at most `limit`; `ParseError` on damage."""
    return _inflated(raw, limit, 15)


def deflate_block(raw: bytes, limit: int) -> bytes:
    """Return the plain bytes of a deflate block without header, at most `limit`; `ParseError` on damage."""
    return _inflated(raw, limit, -15)


def _inflated(raw: bytes, limit: int, bits: int) -> bytes:
    try:
        return zlib.decompressobj(bits).decompress(raw, limit)
    except zlib.error as error:
        raise ParseError("archive.damaged", cause=str(error)) from error


def xz_block(raw: bytes, limit: int) -> bytes:
    """Return the plain bytes of an xz block, at most `limit`; `ParseError` on damage."""
    return _unlzma(raw, limit, lzma.FORMAT_XZ)


def lzma_block(raw: bytes, limit: int) -> bytes:
    """Return the plain bytes of an .lzma block with its header, at most `limit`; `ParseError` on damage."""
    return _unlzma(raw, limit, lzma.FORMAT_ALONE)


def _unlzma(raw: bytes, limit: int, form: int) -> bytes:
    try:
        return lzma.LZMADecompressor(form, memlimit=MEMORY_LIMIT).decompress(raw, limit)
    except (lzma.LZMAError, EOFError) as error:
        raise ParseError("archive.damaged", cause=str(error)) from error


def zstd_block(raw: bytes, limit: int) -> bytes:
    """Return the plain bytes of a zstd frame, at most `limit`, what follows it ignored; `ParseError` on damage."""
    try:
        import zstandard
    except ImportError as error:
        raise UnsupportedError("archive.unsupported", cause="zstd") from error
    try:
        with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=False) as reader:
            return reader.read(limit)
    except zstandard.ZstdError as error:
        raise ParseError("archive.damaged", cause=str(error)) from error
