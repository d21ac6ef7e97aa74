"""What every sequential container reader yields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hinomi.evidence.archives.source import SourceStream, Stream, stream_of


class Member(NamedTuple):
    """One member: its name's bytes, its claimed size and its content, to be read before the next member."""

    name: bytes
    size: int
    stream: Stream
    mode: int | None = None  # with the kind of file, as st_mode; None where the format does not tell
    mtime: float | None = None
    link: bytes | None = None  # the member that has the content, or where a symbolic link leads


def part(parent: Stream, size: int) -> Stream:
    """Return the next `size` bytes of a stream as a stream of its own, in place where the parent has a source."""
    if isinstance(parent, SourceStream):
        return stream_of(parent.rest(size))
    return Stream(parent.chunks(size))


def rest_skipped(parent: Stream, end: int) -> bool:
    """Move the parent to `end`; False where it ends before."""
    missing = end - parent.position
    return parent.skip(missing) == missing


Members = Iterator[Member]
