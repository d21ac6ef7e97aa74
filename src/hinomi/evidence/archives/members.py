"""What every sequential container reader yields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hinomi.evidence.archives.source import Stream


class Member(NamedTuple):
    """One member: its name's bytes, its claimed size and its content, to be read before the next member."""

    name: bytes
    size: int
    stream: Stream


def part(parent: Stream, size: int) -> Stream:
    """Return the next `size` bytes of a stream as a stream of its own."""
    return Stream(parent.chunks(size))


def rest_skipped(parent: Stream, end: int) -> bool:
    """Move the parent to `end`; False where it ends before."""
    missing = end - parent.position
    return parent.skip(missing) == missing


Members = Iterator[Member]
