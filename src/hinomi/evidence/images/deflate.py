"""Which compressor made a gzip stream: the one whose output is the same, byte for byte.

Deflate leaves the compressor free to choose, and each tool and level chooses in its own way, so whoever unpacked and
packed an image again leaves the marks of his own tool (the idea behind Debian's pristine-tar). Only a sample is
compressed again; a stream that nothing at hand reproduces stays unnamed.
"""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Iterator

from hinomi.evidence.archives.source import Source

SAMPLE = 2 << 20  # bytes of content that are compressed again
LAST_BLOCK = 96 << 10  # a cut sample ends in another last block; GNU gzip's are the longest, 32 Ki symbols
GZIP = ("/usr/bin/gzip", "/bin/gzip")
SECONDS = 20
_LEVELS = {2: (9, 6, 1), 4: (1, 6, 9)}  # by the header's XFL, the likeliest first
_OTHER_LEVELS = (6, 9, 1)


def compressor_of(source: Source, start: int, effort: int) -> str | None:
    """Return the tool and level that make the deflate stream at `start`, or None: `gzip -9`, `zlib -6`.

    A short stream is often the same from both: `gzip or zlib -9`. `effort` is the XFL byte of the gzip header.
    """
    stream, content, whole = _sample(source, start)
    if not content:
        return None
    for level in _levels(effort):
        tools = [tool for tool, made in _made(content, level) if _same(stream, made, whole)]
        if tools:
            return f"{' or '.join(tools)} -{level}"
    return None


def _sample(source: Source, start: int) -> tuple[bytes, bytes, bool]:
    """Return the stream's first bytes, the content they hold, and whether that is all of it."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    stream, content = bytearray(), bytearray()
    try:
        while len(content) < SAMPLE and not inflate.eof:
            block = source.read_at(start + len(stream), 1 << 16)
            if not block:
                break
            stream += block
            content += inflate.decompress(block, SAMPLE - len(content))
    except zlib.error:
        return b"", b"", False
    if inflate.eof:
        return bytes(stream[: len(stream) - len(inflate.unused_data)]), bytes(content), True
    return bytes(stream), bytes(content), False


def _levels(effort: int) -> tuple[int, ...]:
    likely = _LEVELS.get(effort, _OTHER_LEVELS)
    return (*likely, *(level for level in range(1, 10) if level not in likely))


def _made(content: bytes, level: int) -> Iterator[tuple[str, bytes]]:
    program = next((path for path in GZIP if os.access(path, os.X_OK)), None)
    if program is not None:
        yield "gzip", _by_program(program, level, content)
    deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    yield "zlib", deflate.compress(content) + deflate.flush()


def _by_program(program: str, level: int, content: bytes) -> bytes:
    """Return the deflate stream that GNU gzip makes; empty where it fails. Its header without a name has ten bytes."""
    command = [program, "-n", f"-{level}", "-c"]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, env={}, check=True)
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout[10:-8]


def _same(stream: bytes, made: bytes, whole: bool) -> bool:
    if whole:
        return stream == made
    telling = len(made) - LAST_BLOCK
    return telling > 0 and stream[:telling] == made[:telling]
