"""Compressed streams to plain chunks. Only as much is unpacked as somebody asks for."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

from hinomi.evidence.archives.kinds import Kind
from hinomi.evidence.archives.lz4 import read_lz4
from hinomi.evidence.archives.source import CHUNK, Stream
from hinomi.evidence.archives.zstdframes import FrameFeed
from hinomi.model.errors import ParseError

_MAGICS = {"bzip2": b"BZh", "xz": b"\xfd7zXZ\x00"}
FIRST = 1 << 10  # plain bytes made first: most streams are settled by their head
MEMORY_LIMIT = 128 << 20  # what an xz or zstd stream may ask the decoder to hold


class UnsupportedError(ParseError):
    """A format or method that nothing here can open."""


class _Decoder(Protocol):
    """A decoder of the standard library: bytes in, at most `max_length` bytes out."""

    eof: bool
    unused_data: bytes
    needs_input: bool

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def decompressed(kind: Kind, stream: Stream) -> Stream:
    """Return the plain content of a compressed stream. Reading raises `ParseError` on damage, never anything else."""
    if kind == "gzip":
        return Stream(_inflate_members(stream))
    if kind == "bzip2":
        return Stream(_decode(stream, bz2.BZ2Decompressor, "bzip2"))
    if kind in ("xz", "lzma"):
        form = lzma.FORMAT_XZ if kind == "xz" else lzma.FORMAT_ALONE
        return Stream(_decode(stream, lambda: lzma.LZMADecompressor(form, memlimit=MEMORY_LIMIT), kind))
    if kind == "zstd":
        return Stream(_zstd(stream))
    if kind == "lz4":
        return Stream(read_lz4(stream))
    raise UnsupportedError("archive.unsupported", cause=kind)


def inflate(stream: Stream) -> Iterator[bytes]:
    """Yield the plain bytes of raw deflate data."""
    decoder = zlib.decompressobj(-15)
    yield from _inflate_one(decoder, stream)


def _inflate_members(stream: Stream) -> Iterator[bytes]:
    first = True
    while stream.peek(3)[:3] == b"\x1f\x8b\x08":
        decoder = zlib.decompressobj(31)
        yield from _inflate_one(decoder, stream, trailing=not first)
        first = False


def _inflate_one(decoder: Any, stream: Stream, trailing: bool = False) -> Iterator[bytes]:
    """Inflate up to the end of one deflate stream and put back what follows it."""
    room = FIRST
    try:
        while not decoder.eof:
            data = decoder.unconsumed_tail or stream.read(CHUNK)
            if not data:
                raise ParseError("archive.truncated", cause="deflate data ends early")
            plain = decoder.decompress(data, room)
            room = CHUNK
            if plain:
                yield plain
        stream.unread(decoder.unused_data)
    except zlib.error as error:
        if not trailing:
            raise ParseError("archive.damaged", cause=str(error)) from error


def _decode(stream: Stream, make: Any, kind: str) -> Iterator[bytes]:
    """Run decoders of `bz2` or `lzma` one after another, as concatenated streams need."""
    decoder: _Decoder = make()
    data = stream.read(CHUNK)
    try:
        while data or not decoder.needs_input:
            plain = decoder.decompress(data, CHUNK)
            data = b""
            if plain:
                yield plain
            if decoder.eof:
                data = _next_stream(stream, decoder.unused_data, _MAGICS.get(kind))
                if not data:
                    return
                decoder = make()
            elif decoder.needs_input:
                data = stream.read(CHUNK)
    except (OSError, lzma.LZMAError, ValueError, EOFError) as error:
        raise ParseError("archive.damaged", cause=str(error)) from error
    if not decoder.eof:
        raise ParseError("archive.truncated", cause=f"{kind} data ends early")


def _next_stream(stream: Stream, unused: bytes, magic: bytes | None) -> bytes:
    """Return the beginning of a further stream of the kind; else put back what follows, which is somebody else's."""
    data = unused or stream.read(CHUNK)
    bare = data.lstrip(b"\x00")
    if magic is not None and bare.startswith(magic[: len(bare)]):
        return bare
    stream.unread(data)
    return b""


def lzma1_filter(properties: bytes) -> dict[str, int]:
    """Return the standard library's filter for five LZMA1 property bytes; `ParseError` for impossible ones."""
    if len(properties) < 5 or properties[0] >= 9 * 5 * 5:
        raise ParseError("archive.damaged", cause="LZMA properties")
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    size = int.from_bytes(properties[1:5], "little")
    if size > MEMORY_LIMIT or lc + lp > 4:
        raise UnsupportedError("archive.unsupported", cause="LZMA dictionary above 128 MiB")
    return {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": max(size, 4096)}


def zip_lzma(stream: Stream, size: int) -> Iterator[bytes]:
    """Yield the plain bytes of a zip member of method 14: version, property size, properties, raw LZMA."""
    header = stream.read(4)
    properties = stream.read(int.from_bytes(header[2:4], "little"))
    yield from raw_lzma(stream, [lzma1_filter(properties)], size)


def raw_lzma(stream: Stream, filters: list[dict[str, int]], size: int) -> Iterator[bytes]:
    """Yield at most `size` plain bytes of raw LZMA data (which need not mark its end)."""
    left = size
    try:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        while left > 0 and not decoder.eof:
            data = stream.read(CHUNK) if decoder.needs_input else b""
            plain = decoder.decompress(data, min(CHUNK, left))
            if not plain and not data:
                raise ParseError("archive.truncated", cause="LZMA data ends early")
            left -= len(plain)
            yield plain
    except (lzma.LZMAError, ValueError, EOFError) as error:
        raise ParseError("archive.damaged", cause=str(error)) from error


def _zstd(stream: Stream) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError as error:
        raise UnsupportedError("archive.unsupported", cause="zstd") from error
    try:
        reader = zstandard.ZstdDecompressor(max_window_size=MEMORY_LIMIT).stream_reader(
            FrameFeed(stream),  # type: ignore[arg-type]  # it only ever calls read()
            read_across_frames=True,
        )
        while data := reader.read(CHUNK):
            yield data
    except zstandard.ZstdError as error:
        raise ParseError("archive.damaged", cause=str(error)) from error
