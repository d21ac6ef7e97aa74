"""LVM2: logical volumes made of linear and striped segments. Formats: lvm2's format_text (label and metadata areas).

Mirrors, thin pools, RAID and caches stay closed, and that is said.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import ZeroSource
from hinomi.evidence.images.joined import JoinedSource
from hinomi.evidence.images.lvmtext import Table, Value, parse_text
from hinomi.evidence.images.runs import Run, RunSource
from hinomi.evidence.images.stripes import StripedSource
from hinomi.model.errors import ParseError

SECTOR = 512
MAX_TEXT = 16 << 20
MAX_AREAS = 64
MAX_SEGMENTS = 100_000
MAX_EXTENTS = 1 << 32
_MAGIC = b" LVM2 x[5A%r0N*>"


class PhysicalVolume(NamedTuple):
    """A disk or partition that belongs to a volume group, with the newest text of the group's layout on it."""

    uuid: str
    source: Source
    text: str


class LogicalVolume(NamedTuple):
    """A volume by its name; `source` is None where it stays closed, and `cause` says why."""

    name: str
    source: Source | None
    cause: str = ""


def read_physical(source: Source) -> PhysicalVolume:
    """Read a label and its metadata; `ParseError` where they are damaged."""
    for sector in range(4):
        label = source.read_at(sector * SECTOR, SECTOR)
        if label[:8] == b"LABELONE" and label[24:32] == b"LVM2 001":
            break
    else:
        raise ParseError("image.damaged", cause="no LVM label")
    at = int.from_bytes(label[20:24], "little")
    if not 32 <= at <= SECTOR - 48:
        raise ParseError("image.damaged", cause="LVM label")
    uuid = label[at : at + 32].decode("ascii", "replace")
    _, at = _areas(label, at + 40)
    metadata, _ = _areas(label, at)
    texts = [text for area in metadata if (text := _text(source, area))]
    return PhysicalVolume(uuid, source, max(texts, key=_seqno, default=""))


def _areas(label: bytes, at: int) -> tuple[list[tuple[int, int]], int]:
    found: list[tuple[int, int]] = []
    while at + 16 <= len(label):
        offset, size = struct.unpack_from("<QQ", label, at)
        at += 16
        if not offset:
            break
        found.append((offset, size))
    return found[:MAX_AREAS], at


def _text(source: Source, area: tuple[int, int]) -> str:
    start, _ = area
    head = source.read_at(start, SECTOR)
    if head[4:20] != _MAGIC or len(head) < SECTOR:
        return ""
    size = int.from_bytes(head[32:40], "little")
    offset, length, _, flags = struct.unpack_from("<QQII", head, 40)
    if not offset or length > MAX_TEXT or offset >= size or flags & 1:
        return ""
    first = source.read_at(start + offset, min(length, size - offset))
    rest = source.read_at(start + SECTOR, length - len(first)) if length > len(first) else b""
    return (first + rest).split(b"\0")[0].decode("utf-8", "replace")


def _seqno(text: str) -> int:
    found = re.search(r"\bseqno\s*=\s*(\d+)", text)
    return int(found[1][:18]) if found else 0


def volumes_of(physical: Iterable[PhysicalVolume]) -> list[LogicalVolume]:
    """Return the logical volumes of all groups that the physical volumes belong to, in the order of the layout."""
    known = list(physical)
    newest: dict[str, str] = {}
    for volume in known:
        for name in list(parse_text(volume.text))[:1]:
            if _seqno(volume.text) >= _seqno(newest.get(name, "")):
                newest[name] = volume.text
    found: list[LogicalVolume] = []
    for name, text in newest.items():
        group = parse_text(text).get(name)
        if isinstance(group, dict):
            found += _Group(name, group, known).volumes()
    return found


class _Group:
    def __init__(self, name: str, body: Table, known: list[PhysicalVolume]) -> None:
        self._name = name
        self._body = body
        self._extent = _number(body, "extent_size") * SECTOR
        by_uuid = {volume.uuid: volume.source for volume in known}
        self._disks: dict[str, tuple[Source, int]] = {}
        for label, disk in _tables(body, "physical_volumes"):
            source = by_uuid.get(str(disk.get("id", "")).replace("-", ""))
            if source is not None:
                self._disks[label] = source, _number(disk, "pe_start") * SECTOR

    def volumes(self) -> list[LogicalVolume]:
        return [self._volume(name, body) for name, body in _tables(self._body, "logical_volumes") if _visible(body)]

    def _volume(self, name: str, body: Table) -> LogicalVolume:
        full = f"{self._name}/{name}"
        try:
            return LogicalVolume(full, self._joined(body))
        except ParseError as error:
            return LogicalVolume(full, None, error.cause)

    def _joined(self, body: Table) -> Source:
        segments = [value for key, value in body.items() if key.startswith("segment") and isinstance(value, dict)]
        parts: list[tuple[int, Source]] = []
        for segment in segments[:MAX_SEGMENTS]:
            start = _number(segment, "start_extent") * self._extent
            parts.append((start, self._segment(segment)))
        parts.sort(key=lambda part: part[0])
        joined: list[Source] = []
        end = 0
        for start, part in parts:
            if start < end:
                raise ParseError("image.damaged", cause="LVM segments lie over each other")
            joined += [ZeroSource(start - end), part]
            end = start + part.size
        return JoinedSource(joined)

    def _segment(self, body: Table) -> Source:
        kind = str(body.get("type", ""))
        if kind != "striped":
            raise ParseError("image.unsupported", cause=f"LVM segment of type {kind[:30] or 'none'}")
        count, size = _number(body, "stripe_count"), _number(body, "extent_count") * self._extent
        stripes = body.get("stripes")
        if not isinstance(stripes, list) or not 1 <= count <= 128 or len(stripes) < 2 * count:
            raise ParseError("image.damaged", cause="LVM segment")
        parts = [self._stripe(str(stripes[2 * n]), stripes[2 * n + 1], size // count) for n in range(count)]
        return StripedSource(parts, _number(body, "stripe_size") * SECTOR if count > 1 else size, size)

    def _stripe(self, disk: str, extent: str | int, size: int) -> Source:
        if disk not in self._disks:
            raise ParseError("image.incomplete", cause=f"physical volume {disk[:50]} is not here")
        source, first = self._disks[disk]
        start = int(extent) * self._extent if isinstance(extent, int) else -1
        if start < 0 or start > MAX_EXTENTS * SECTOR:
            raise ParseError("image.damaged", cause="LVM stripe")
        return RunSource(source, [Run(0, size, first + start)], size)


def _visible(body: Mapping[str, Value]) -> bool:
    status = body.get("status")
    return not isinstance(status, list) or "VISIBLE" in status


def _tables(body: Mapping[str, Value], name: str) -> list[tuple[str, Table]]:
    table = body.get(name)
    return [(key, value) for key, value in table.items() if isinstance(value, dict)] if isinstance(table, dict) else []


def _number(body: Mapping[str, Value], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or not 0 <= value <= MAX_EXTENTS:
        raise ParseError("image.damaged", cause=f"LVM {name}")
    return value
