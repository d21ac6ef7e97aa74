"""A target as baselines see it: all its trees measured into one table, and read again where an explanation asks."""

from __future__ import annotations

import errno
import gc
import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from hinomi.evidence.content_types import content_type
from hinomi.evidence.images.inner import InnerImages
from hinomi.evidence.integrity.crossview import HiddenEntry, hidden_entries
from hinomi.evidence.integrity.manifests import manifests_of
from hinomi.evidence.integrity.measure import Measurer, Progress, See, measure
from hinomi.evidence.integrity.measured import Measured
from hinomi.evidence.options import ScanOptions
from hinomi.evidence.ownership import DIGEST_KINDS, PackageOwnership
from hinomi.evidence.target import Target
from hinomi.flow.apart import MAX_INNER
from hinomi.flow.baseline_inside import control_of, members_of
from hinomi.flow.original import ARROW
from hinomi.flow.scanning import DEFAULTS, open_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import File
from hinomi.model.text import path_text
from hinomi.watch.baseline.entries import table_of
from hinomi.watch.baseline.secrets import may_keep
from hinomi.watch.baseline.world import Inside, Owner, Reader

if TYPE_CHECKING:
    import pyarrow as pa

    from hinomi.evidence.sources.image import Image
    from hinomi.evidence.view import Entry

CHUNK = 1 << 18
Row = tuple[Measured, str | None]  # an entry and the package that owns it


class BaselineTarget(Reader, Protocol):
    """A target opened for a baseline, wherever it is read. `OSError` for what cannot be read of it."""

    name: str
    host: str
    kind: str
    coverage: Coverage

    def packages(self) -> dict[str, str]:
        """Return what the target's package databases vouch for."""

    def rows(self, *, owners: bool, progress: Progress | None = None) -> Iterator[Row]:
        """Measure every entry, those of images within it too; `owners` are asked where they are wanted."""

    def rows_again(self, paths: Sequence[bytes], *, owners: bool) -> Iterator[Row]:
        """Measure single entries by path; those that are gone are left out."""

    def hidden(self, gone: Sequence[bytes], *, raw: bool) -> list[HiddenEntry]:
        """Return what listings hide; `gone` are paths that were there once and are no longer listed."""


@dataclass(slots=True)
class Looked:
    """A target opened for a baseline. `trees` are its file systems by the way to them, the outermost first (b"")."""

    name: str
    host: str
    kind: str
    trees: dict[bytes, Target]
    image: Image | None = None
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def main(self) -> Target:
        """The outermost file system: the one whose packages count."""
        return self.trees[b""]

    # --- implements hinomi.watch.baseline.world.Reader ---------------------------------------------------------------

    def open(self, path: bytes) -> BinaryIO:
        """Open a regular file by the path that its row has."""
        target, inside = self._split(path)
        return target.view.open(inside)

    def owner(self, path: bytes) -> Owner | None:
        """Return who owns a path now."""
        try:
            target, inside = self._split(path)
        except FileNotFoundError:
            return None
        if not isinstance(target.ownership, PackageOwnership):
            return None
        found = target.ownership.manifest(inside)
        if found is None:
            return None
        package, digest = found
        return Owner(package, DIGEST_KINDS.get(len(digest)), digest.hex()) if digest else Owner(package, None, None)

    def digest(self, path: bytes, kind: str) -> str:
        """Return a file's digest of one kind in hex."""
        made = hashlib.new(kind, usedforsecurity=False)
        with self.open(path) as file:
            while data := file.read(CHUNK):
                made.update(data)
        return made.hexdigest()

    def members(self, path: bytes) -> list[Inside] | None:
        """Return all that an image of the target holds."""
        target, inside = self._split(path)
        return members_of(target, inside, self.coverage)

    def control(self, path: bytes) -> list[Inside] | None:
        """Return the control members of a Debian package file."""
        target, inside = self._split(path)
        return control_of(target, inside, self.coverage)

    # --- implements BaselineTarget --------------------------------------------------------------------------------

    def packages(self) -> dict[str, str]:
        """Return what the target's package databases vouch for."""
        return manifests_of(self.main.view, self.coverage)

    def rows(self, *, owners: bool, progress: Progress | None = None) -> Iterator[Row]:
        """Measure every entry, those of images within it too; `owners` are asked where they are wanted."""
        return self._owned(_rows(self, progress), owners)

    def rows_again(self, paths: Sequence[bytes], *, owners: bool) -> Iterator[Row]:
        """Measure single entries by path; those that are gone are left out."""
        return self._owned(measured_again(self, paths), owners)

    def hidden(self, gone: Sequence[bytes], *, raw: bool) -> list[HiddenEntry]:
        """Return what listings hide; `gone` are paths that were there once and are no longer listed."""
        return hidden_entries(self.main, gone, self.coverage, raw=raw)

    def _owned(self, rows: Iterable[Measured], owners: bool) -> Iterator[Row]:
        for row in rows:
            yield row, self.main.ownership.package_of(row.path) if owners and row.path.startswith(b"/") else None

    def _split(self, path: bytes) -> tuple[Target, bytes]:
        if path.startswith(b"/"):
            return self.main, path
        way, _, inside = path.rpartition(_ARROW)
        if way not in self.trees:  # an image that the target held when the baseline was made
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fsdecode(way))
        return self.trees[way], inside


_ARROW = ARROW.encode()


def open_here(name: str, exclude: Path, *, kind: str | None = None, options: ScanOptions = DEFAULTS) -> Looked:
    """Open a target in this process; the case at `exclude` is left out of it."""
    opened = open_target(name, exclude=[exclude], kind=kind, options=options)
    if isinstance(opened, Target):
        return Looked(opened.name, opened.host, opened.kind, {b"": opened})
    return Looked(opened.target.name, opened.target.host, opened.target.kind, {b"": opened.target}, opened)


def measured(looked: BaselineTarget, *, owners: bool, progress: Progress | None = None) -> pa.Table:
    """Measure every entry of a target as a table of entries."""
    return table_of_rows(looked.rows(owners=owners, progress=progress))


def table_of_rows(rows: Iterable[Row]) -> pa.Table:
    """Return measured rows with their owners as a table of entries."""
    with no_collector():
        both = list(rows)
        return table_of([row for row, _ in both], [owner for _, owner in both])


@contextmanager
def no_collector() -> Iterator[None]:
    """Hold the cyclic garbage collector: a hundred thousand new rows would be walked again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _rows(looked: Looked, progress: Progress | None) -> Iterator[Measured]:
    if looked.image is None:
        yield from measure(looked.main, looked.coverage, keep_text=may_keep, progress=progress)
    else:
        yield from _rows_of_image(looked, looked.image, progress)


def _rows_of_image(looked: Looked, outermost: Image, progress: Progress | None) -> Iterator[Measured]:
    """Measure an image, what lies beside it in the same file and what was found inside, breadth first."""
    from hinomi.evidence.sources.image import Surroundings, inner_images, say_notes

    todo, done = deque([outermost, *outermost.beside]), 0
    while todo:
        now, noted = todo.popleft(), InnerImages()
        way = ARROW.join(now.way).encode()
        looked.trees[way] = now.target
        prefix = way + _ARROW if way else b""
        see = _noting(noted)
        for row in measure(now.target, looked.coverage, keep_text=may_keep, progress=progress, see=see):
            yield row._replace(path=prefix + row.path) if prefix else row
        done += 1
        room = MAX_INNER - done - len(todo)
        for inner in inner_images(Surroundings.of_image(now), noted, looked.coverage, room):
            todo.extend((inner, *inner.beside))
        say_notes(now, looked.coverage)


def _noting(noted: InnerImages) -> See:
    def see(entry: Entry, head: bytes) -> None:
        noted.take(
            File(
                path=path_text(entry.path), path_raw=entry.path, kind="file", size=entry.size, mode=entry.mode,
                uid=entry.uid, gid=entry.gid, inode=entry.inode, links=entry.links, mtime=entry.mtime,
                ctime=entry.ctime, sha256="", content_type=content_type(head[:4096]),
            )
        )  # fmt: skip

    return see


def measured_again(looked: Looked, paths: Sequence[bytes]) -> list[Measured]:
    """Measure single entries of the main tree by path; those that are gone are left out."""
    from hinomi.evidence.sources.root import RootView

    view = looked.main.view
    if not isinstance(view, RootView):
        return [row for row in _rows(looked, None) if row.path in set(paths)]
    measurer = Measurer(looked.main, looked.coverage, may_keep)
    rows = []
    for path in paths:
        entry = view.entry(path)
        if entry is None or entry.path != path:
            continue
        try:
            folder = view.folder_at(path.rpartition(b"/")[0])
        except OSError:
            continue
        try:
            rows.append(measurer.measure(folder, entry))
        finally:
            folder.release()
    return rows
