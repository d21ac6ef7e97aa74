"""Images inside images: which files of a target are file systems of their own, told by the rows the walk gives."""

from __future__ import annotations

from collections.abc import Callable
from heapq import nlargest
from operator import itemgetter
from typing import NamedTuple, Protocol, runtime_checkable

from hinomi.evidence.archives.kinds import STREAMS
from hinomi.evidence.archives.source import BytesSource, Source, stream_of
from hinomi.evidence.archives.streams import decompressed
from hinomi.evidence.images.kinds import CLOSED, DISKS, FILE_SYSTEMS, HEAD, recognise, recognise_head
from hinomi.evidence.images.tree import Node, Tree
from hinomi.evidence.outside.dissect import opens
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import File

MIN_SIZE = 64
MIN_UNTYPED = 1 << 20  # a disk begins with anything: only large files of no known type are looked at again
MAX_NOTED = 100_000
MAX_CANDIDATES = 256
MAX_WRAPPERS = 3
PEEKED = 4096  # bytes of a compressed file that are unpacked to see what it is
MAX_LOOKED_AT = 16  # members of an archive whose beginning is read to see whether they are images
_ALWAYS = frozenset({*FILE_SYSTEMS, "cpio", "disk", "lvm", "ubi", *DISKS}) - {"fat"}
_ARCHIVES = frozenset({"tar", "zip", "oci"})
_CLOSED = frozenset(CLOSED)
_TYPES = frozenset(
    "application/" + name
    for name in "gzip x-xz zstd x-bzip2 x-lz4 x-lzma x-cpio x-squashfs x-qemu-disk x-ext-filesystem x-tar zip x-vmdk "
    "x-vhd x-vhdx x-ewf x-luks x-xfs x-ubi x-ubifs x-jffs2 x-cramfs x-ntfs x-raw-disk-image x-iso9660-image".split()
)


@runtime_checkable
class SourceView(Protocol):
    """A view whose files can be read at any offset."""

    def file_source(self, path: bytes) -> Source:
        """Return a regular file's content; `OSError` where there is none."""


class Candidate(NamedTuple):
    """A file that holds a file system or an archive."""

    path: bytes
    kind: str
    archive: bool  # a tar or zip: worth opening only as a root or as part of an update


class InnerImages:
    """Notes files that may be images as their rows pass, and looks at their beginning afterwards."""

    def __init__(self) -> None:
        self._noted: list[bytes] = []
        self._more = 0
        self._packaged = 0

    @property
    def any(self) -> bool:
        """Whether there is anything to look at or to say."""
        return bool(self._noted or self._packaged)

    def take(self, row: Row) -> None:
        """Note a file whose content type may hold a file system."""
        if isinstance(row, File) and row.kind == "file" and row.sha256 is not None and _is_likely(row):
            if row.package_state == "intact":
                self._packaged += 1
            elif len(self._noted) < MAX_NOTED:
                self._noted.append(row.path_raw or row.path.encode("utf-8", "surrogateescape"))
            else:
                self._more += 1

    def found(self, view: SourceView, coverage: Coverage) -> list[Candidate]:
        """Return the images among what was noted, in order of paths; kinds that nothing here opens are counted."""
        if self._more:
            coverage.skip("image:more", self._more)
        if self._packaged:
            coverage.skip("image:as-packaged", self._packaged)
        found: list[Candidate] = []
        for path in sorted(self._noted):
            kind = _kind(view, path)
            opened = opens(kind)
            if kind in _CLOSED and not opened:
                coverage.skip(f"image:{kind}")
            elif opened or kind in _ALWAYS or kind in _ARCHIVES:
                if len(found) < MAX_CANDIDATES:
                    found.append(Candidate(path, str(kind), kind in _ARCHIVES))
                else:
                    coverage.skip("image:more")
        return found


def _is_likely(row: File) -> bool:
    if row.content_type == "application/octet-stream":
        return row.size >= MIN_UNTYPED
    return row.content_type in _TYPES and row.size >= MIN_SIZE


def holds_image(tree: Tree) -> bool:
    """Whether one of an archive's largest members is a file system or a disk: then it is part of an update."""
    sized: list[tuple[int, Node]] = []
    todo, seen = [tree.root], 0
    while todo and seen < MAX_NOTED:
        for node in tree.children(todo.pop()).values():
            seen += 1
            if node.kind == "directory":
                todo.append(node)
            elif node.kind == "file" and node.size >= MIN_SIZE:
                sized.append((node.size, node))
    largest = nlargest(MAX_LOOKED_AT, sized, key=itemgetter(0))
    return any(_kind_of(node.content) in _ALWAYS for _, node in largest if node.content is not None)


def _kind(view: SourceView, path: bytes) -> str | None:
    return _kind_of(lambda: view.file_source(path))


def _kind_of(content: Callable[[], Source]) -> str | None:
    try:
        source = content()
        kind = recognise(source)
        return _inside(BytesSource(source.read_at(0, PEEKED))) if kind in STREAMS else kind
    except (ParseError, OSError):
        return None  # the walk has said that it cannot be read


def _inside(source: Source) -> str | None:
    """Return what a compressed file unpacks to; only its head is unpacked."""
    stream = stream_of(source)
    for _ in range(MAX_WRAPPERS):
        kind = recognise_head(stream.peek(HEAD))
        if kind not in STREAMS or kind is None:
            return kind
        stream = decompressed(kind, stream)  # type: ignore[arg-type]
    return None
