"""Images inside images: which files of a target are file systems of their own, noted while they are read anyway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.kinds import STREAMS
from hinomi.evidence.archives.source import FileSource, stream_of
from hinomi.evidence.archives.streams import decompressed
from hinomi.evidence.collector import ContentFile
from hinomi.evidence.images.kinds import HEAD, recognise_head
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row

MIN_SIZE = 64
MAX_CANDIDATES = 256
MAX_LAYERS = 3
_ALWAYS = frozenset({"ext", "squashfs", "cpio", "disk", "qcow2"})
_CLOSED = frozenset({"vmdk", "vhdx", "ewf", "luks", "xfs", "squashfs-be", "squashfs-old", "ubi", "ubifs", "jffs2",
                     "cramfs", "romfs", "erofs", "f2fs", "lvm", "ntfs", "apfs", "exfat"})  # fmt: skip


class Candidate(NamedTuple):
    """A file that holds a file system or an archive."""

    path: bytes
    kind: str
    archive: bool  # a tar or zip: worth opening only as a root or as part of an update


class InnerImages:
    """Notes candidates as the pipeline reads the files (implements `ContentCollector`); gives no rows."""

    name = "images"
    tables: tuple[type[Row], ...] = ()

    def __init__(self) -> None:
        self._found: list[Candidate] = []

    def wants(self, entry: Entry, head: bytes) -> bool:
        """Whether a file begins like something that may be opened."""
        return entry.kind == "file" and entry.size >= MIN_SIZE and recognise_head(head[:HEAD]) is not None

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Note the file where its content is a file system or archive, compressed or not."""
        del target
        kind = recognise_head(file.head[:HEAD])
        if kind in STREAMS:
            kind = _inside(file)
        if kind is None or kind in ("class", "7z", "ar", "rpm", "rar", "cab", "lzip", "iso", "fat"):
            return
        if kind in _CLOSED:
            coverage.skip(f"image:{kind}")
        elif len(self._found) < MAX_CANDIDATES:
            self._found.append(Candidate(file.entry.path, kind, kind not in _ALWAYS))
        else:
            coverage.skip("image:more")
        yield from ()

    def found(self) -> list[Candidate]:
        """Return what was noted, in order of paths."""
        return sorted(self._found)


def _inside(file: ContentFile) -> str | None:
    """Return what a compressed file unpacks to; only its head is unpacked."""
    with file.open() as reader:
        stream = stream_of(FileSource(reader, file.entry.size))
        try:
            for _ in range(MAX_LAYERS):
                kind = recognise_head(stream.peek(HEAD))
                if kind not in STREAMS or kind is None:
                    return kind
                stream = decompressed(kind, stream)  # type: ignore[arg-type]
        except (ParseError, BudgetError):
            return None
    return None
