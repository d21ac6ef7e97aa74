"""Images inside images: which files of a target are file systems of their own, told by the rows the walk gives."""

from __future__ import annotations

from typing import NamedTuple

from hinomi.evidence.archives.kinds import STREAMS
from hinomi.evidence.archives.source import Source, stream_of
from hinomi.evidence.archives.streams import decompressed
from hinomi.evidence.images.kinds import DISKS, HEAD, recognise_head
from hinomi.evidence.images.view import ImageView
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import File

MIN_SIZE = 64
MIN_UNTYPED = 1 << 20  # a disk begins with anything: only large files of no known type are looked at again
MAX_NOTED = 100_000
MAX_CANDIDATES = 256
MAX_WRAPPERS = 3
_ALWAYS = frozenset({"ext", "squashfs", "xfs", "btrfs", "erofs", "ntfs", "cpio", "disk", "lvm", "ubi", "ubifs", "jffs2", *DISKS})
_ARCHIVES = frozenset({"tar", "zip", "oci"})
_CLOSED = frozenset({"luks", "squashfs-be", "squashfs-old",                      "cramfs", "romfs", "f2fs", "apfs", "exfat"})  # fmt: skip
_TYPES = frozenset(
    "application/" + name
    for name in "gzip x-xz zstd x-bzip2 x-lz4 x-lzma x-cpio x-squashfs x-qemu-disk x-ext-filesystem x-tar zip x-vmdk "
    "x-vhdx x-ewf x-luks x-xfs x-ubi x-ubifs x-jffs2 x-cramfs".split()
)


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

    def take(self, row: Row) -> None:
        """Note a file whose content type may hold a file system."""
        if not isinstance(row, File) or row.kind != "file" or row.size < MIN_SIZE or row.sha256 is None:
            return
        untyped = row.content_type == "application/octet-stream" and row.size >= MIN_UNTYPED
        if row.content_type in _TYPES or untyped:
            if len(self._noted) < MAX_NOTED:
                self._noted.append(row.path_raw or row.path.encode("utf-8", "surrogateescape"))
            else:
                self._more += 1

    def found(self, view: ImageView, coverage: Coverage) -> list[Candidate]:
        """Return the images among what was noted, in order of paths; kinds that nothing here opens are counted."""
        if self._more:
            coverage.skip("image:more", self._more)
        found: list[Candidate] = []
        for path in sorted(self._noted):
            kind = _kind(view, path)
            if kind in _CLOSED:
                coverage.skip(f"image:{kind}")
            elif kind in _ALWAYS or kind in _ARCHIVES:
                if len(found) < MAX_CANDIDATES:
                    found.append(Candidate(path, str(kind), kind in _ARCHIVES))
                else:
                    coverage.skip("image:more")
        return found


def _kind(view: ImageView, path: bytes) -> str | None:
    try:
        source = view.file_source(path)
        kind = recognise_head(source.read_at(0, HEAD))
        return _inside(source) if kind in STREAMS else kind
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
