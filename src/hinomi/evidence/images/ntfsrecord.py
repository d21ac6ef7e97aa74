"""Records of NTFS's master file table: their attributes, and where the attributes' data lie.

Format: "NTFS Documentation" of the Linux-NTFS project.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from hinomi.evidence.images.runs import Run
from hinomi.model.errors import ParseError

SECTOR = 512
MAX_RUNS = 1 << 20
MAX_ATTRIBUTES = 4096
STANDARD, LIST, NAME, VOLUME, DATA, INDEX_ROOT, INDEX, REPARSE = 0x10, 0x20, 0x30, 0x70, 0x80, 0x90, 0xA0, 0xC0
END = 0xFFFFFFFF
COMPRESSED, ENCRYPTED = 0x0001, 0x4000


class Attribute(NamedTuple):
    """One attribute, or a part of one. `value` is None where its data lie in clusters, told by `runs`."""

    type: int
    id: int
    name: bytes  # UTF-16
    flags: int
    value: bytes | None
    first: int = 0  # the cluster of the attribute that this part begins with
    size: int = 0
    filled: int = 0  # bytes that were ever written; what follows is zeros
    unit: int = 0  # clusters compressed together, as a power of two
    runs: bytes = b""


class Record(NamedTuple):
    """A record in use."""

    sequence: int
    folder: bool
    base: int  # the record it extends; 0 for none
    attributes: list[Attribute]


def read_record(raw: bytes) -> Record:
    """Return a record; `ParseError` where it is free or damaged."""
    raw = fixed(raw, b"FILE")
    sequence, _, first, flags, used = struct.unpack_from("<HHHHI", raw, 16)
    if not flags & 1:
        raise ParseError("image.damaged", cause="a record that is free")
    base = int.from_bytes(raw[32:38], "little")
    return Record(sequence, bool(flags & 2), base, list(_attributes(raw[: min(used, len(raw))], first)))


def fixed(raw: bytes, magic: bytes) -> bytes:
    """Put back the last two bytes of every sector, which are kept apart to show torn writes."""
    if len(raw) < 48 or raw[:4] != magic:
        raise ParseError("image.damaged", cause=f"no {magic.decode()} record")
    at, count = struct.unpack_from("<HH", raw, 4)
    words = raw[at : at + 2 * count]
    if len(words) < 2 * count or not 1 <= count <= len(raw) // SECTOR + 1:
        raise ParseError("image.damaged", cause="record's update sequence")
    out = bytearray(raw)
    for index in range(1, count):
        end = index * SECTOR
        if out[end - 2 : end] != words[:2]:
            raise ParseError("image.damaged", cause="a record that was written in part")
        out[end - 2 : end] = words[2 * index : 2 * index + 2]
    return bytes(out)


def _attributes(raw: bytes, at: int) -> Iterator[Attribute]:
    for _ in range(MAX_ATTRIBUTES):
        if at + 16 > len(raw) or raw[at : at + 4] == END.to_bytes(4, "little"):
            return
        kind, length, apart, name_length, name_at, flags, number = struct.unpack_from("<IIBBHHH", raw, at)
        if length < 24 or at + length > len(raw):
            raise ParseError("image.damaged", cause="attribute")
        body = raw[at : at + length]
        name = body[name_at : name_at + 2 * name_length]
        if not apart:
            size, start = struct.unpack_from("<IH", body, 16)
            yield Attribute(kind, number, name, flags, body[start : start + size], size=size)
        elif length >= 64:
            first, runs, unit, size, filled = struct.unpack_from("<Q8xHH12xQQ", body, 16)
            yield Attribute(kind, number, name, flags, None, first, size, filled, unit, body[runs:])
        at += length


def runs_of(parts: list[Attribute], cluster: int) -> Iterator[Run]:
    """Yield the runs of an attribute from its parts, in bytes; `cluster` is a cluster's bytes."""
    count = 0
    for part in sorted(parts, key=lambda part: part.first):
        start, place = part.first, 0
        for length, step in _pairs(part.runs):
            count += 1
            if count > MAX_RUNS:
                raise ParseError("image.damaged", cause="too many runs")
            if step is not None:
                place += step
            if place < 0 or start < 0:
                raise ParseError("image.damaged", cause="run")
            yield Run(start * cluster, length * cluster, None if step is None else place * cluster)
            start += length


def _pairs(raw: bytes) -> Iterator[tuple[int, int | None]]:
    """Yield (clusters, step from the run before or None for a hole)."""
    at = 0
    while at < len(raw) and raw[at]:
        wide, far = raw[at] & 15, raw[at] >> 4
        length = int.from_bytes(raw[at + 1 : at + 1 + wide], "little")
        step = int.from_bytes(raw[at + 1 + wide : at + 1 + wide + far], "little", signed=True) if far else None
        if not length or wide > 8 or far > 8:
            raise ParseError("image.damaged", cause="run list")
        yield length, step
        at += 1 + wide + far
