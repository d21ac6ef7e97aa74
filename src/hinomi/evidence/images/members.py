"""Archives without in-place access as trees: zip, and what the archive walker reads forward only (ar, rpm, 7z)."""

from __future__ import annotations

import calendar
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

from hinomi.evidence.archives.ars import read_ar, read_rpm
from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.inflate64 import inflate64
from hinomi.evidence.archives.kinds import Kind
from hinomi.evidence.archives.members import Member, Members
from hinomi.evidence.archives.rar import read_rar
from hinomi.evidence.archives.sevenzip import read_7z
from hinomi.evidence.archives.source import SliceSource, Source, Stream, stream_of
from hinomi.evidence.archives.streams import decompressed, inflate, zip_lzma
from hinomi.evidence.archives.zips import DESCRIPTOR, ENCRYPTED, ZipEntry, ZipReader
from hinomi.evidence.images.disk import reader_over, spooled
from hinomi.evidence.images.tree import KINDS, BuiltTree, Node, reason_of
from hinomi.model.errors import ParseError
from hinomi.model.text import path_text, printable

MAX_LINK = 65536
HEAD = 4096
_STREAMS: dict[int, Kind] = {12: "bzip2", 93: "zstd", 95: "xz"}
_FORWARD: dict[str, Callable[[Stream], Members]] = {"ar": read_ar, "rpm": read_rpm}
_RANDOM: dict[str, Callable[[Source], Members]] = {"7z": read_7z, "rar": read_rar}
Attributes = dict[bytes, tuple[int, float]]


def read_members_tree(kind: str, source: Source, limit: int, work: str | None) -> BuiltTree:
    """Return the tree of an archive that is read once, forward: its content lies in memory or one temporary file.

    Where a format's modes are not read, files are 0644 of root. A member that cannot be read is a miss of its own, and
    an archive of nothing else a `ParseError`. Raises `BudgetError` above `limit` bytes.
    """
    tree = BuiltTree(kind)
    places: list[tuple[Member, int, int]] = []
    members = _FORWARD[kind](stream_of(source)) if kind in _FORWARD else _RANDOM[kind](source)
    content = spooled(Stream(_gathered(members, places, tree)), limit, work)
    for member, at, size in places:
        if member.link is not None and member.mode is not None and not stat.S_ISLNK(member.mode):
            if tree.link(member.name, member.link):
                continue
            tree.notes.miss(_shown(member.name), "damaged", "link to nothing")
        tree.add(member.name, _member(tree.number(), member, partial(SliceSource, content, at, size), size))
    return tree


def _member(number: int, member: Member, content: Callable[[], SliceSource], size: int) -> Node:
    """Return a member as a node; a link's content is where it leads."""
    mode = member.mode or 0o100644
    node = Node(KINDS.get(mode & 0o170000, "file"), mode & 0o7777, size=size, inode=number, mtime=member.mtime or 0.0)
    if node.kind == "symlink":
        node.link = member.link or content().read_at(0, MAX_LINK)
    elif node.kind == "file":
        node.content = content
    return node


def _gathered(members: Members, places: list[tuple[Member, int, int]], tree: BuiltTree) -> Iterator[bytes]:
    at = 0
    first: ParseError | None = None
    try:
        for member in members:
            size = 0
            tree.number()
            try:
                for chunk in member.stream.chunks():
                    size += len(chunk)
                    yield chunk
                places.append((member, at, size))
            except BudgetError:
                raise
            except ParseError as error:
                first = first or error
                tree.notes.miss(_shown(member.name), reason_of(error), error.cause)
            at += size
    except BudgetError:
        raise
    except ParseError as error:
        first = first or error
        tree.notes.miss("", reason_of(error), error.cause)
    if first is not None and not places:
        raise first


def read_zip_tree(source: Source, limit: int, work: str | None) -> BuiltTree:
    """Return a zip's tree; a member is unpacked when it is opened, to at most `limit` bytes."""
    tree = BuiltTree("zip")
    reader = ZipReader(source)
    attributes = _attributes(source)
    for entry in [*reader.entries(), *reader.hidden()]:
        name = entry.name.replace(b"\\", b"/") if b"/" not in entry.name else entry.name
        mode, mtime = attributes.get(entry.name, (0, 0.0))
        kind = "directory" if name.endswith(b"/") else KINDS.get(mode & 0o170000, "file")
        default = 0o755 if kind == "directory" else 0o644
        node = Node(kind, mode & 0o7777 or default, inode=tree.number(), size=entry.size, mtime=mtime)
        if entry.flags & ENCRYPTED:
            tree.notes.miss(_shown(name), "encrypted")
        if kind == "symlink":
            node.link = _link(reader, entry)
        elif kind == "file":
            node.content = partial(_content, reader, entry, limit, work)
        tree.add(name, node)
    if reader.problem:
        tree.notes.miss("", reader.problem, "zip directory")
    return tree


def _attributes(source: Source) -> Attributes:
    """Return Unix modes and times by name, as far as the directory is one that the standard library reads."""
    try:
        with zipfile.ZipFile(reader_over(source)) as archive:
            return {_raw_name(info): (info.external_attr >> 16, _time(info)) for info in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error, IndexError, OverflowError):
        return {}


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437", "replace")


def _time(info: zipfile.ZipInfo) -> float:
    try:
        return float(calendar.timegm((*info.date_time, 0, 0, 0)))
    except (ValueError, OverflowError):
        return 0.0


def _content(reader: ZipReader, entry: ZipEntry, limit: int, work: str | None) -> Source:
    if entry.flags & ENCRYPTED:
        raise ParseError("image.encrypted", cause="encrypted member")
    packed = SliceSource(reader.source, reader.locate(entry), entry.packed)
    if entry.method == 0:
        return packed
    most = limit if entry.flags & DESCRIPTOR else min(limit, entry.size)
    return _Member(lambda: _unpacked(entry, packed), entry.size, lambda stream: spooled(stream, most, work))


class _Member:
    """A packed member: its beginning is unpacked on its own, all of it when more is asked for."""

    def __init__(self, stream: Callable[[], Stream], size: int, spool: Callable[[Stream], Source]) -> None:
        self.size = size
        self._stream = stream
        self._spool = spool
        self._head: bytes | None = None
        self._whole: Source | None = None

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes."""
        if self._whole is None and 0 <= offset < self.size and offset + length <= min(HEAD, self.size):
            if self._head is None:
                self._head = self._stream().peek(HEAD)
            return self._head[offset : offset + length]
        if self._whole is None:
            self._whole = self._spool(self._stream())
        return self._whole.read_at(offset, length)


def _unpacked(entry: ZipEntry, packed: SliceSource) -> Stream:
    stream = stream_of(packed)
    if entry.method == 8:
        return Stream(inflate(stream))
    if entry.method in _STREAMS:
        return decompressed(_STREAMS[entry.method], stream)
    if entry.method == 9 and packed.size <= 256 << 20:
        return Stream(inflate64(packed.read_at(0, packed.size)))
    if entry.method == 14:
        return Stream(zip_lzma(stream, entry.size))
    raise ParseError("image.unsupported", cause=f"zip method {entry.method}")


def _link(reader: ZipReader, entry: ZipEntry) -> bytes:
    try:
        return _content(reader, entry, MAX_LINK, None).read_at(0, MAX_LINK)
    except ParseError:
        return b""


def _shown(name: bytes) -> str:
    return printable(path_text(name[:200]))
