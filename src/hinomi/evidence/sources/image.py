"""An image, firmware or archive as a target, and the file systems found inside it as targets of their own."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import BytesSource, SliceSource, Source
from hinomi.evidence.images.beside import FolderBeside, ViewBeside
from hinomi.evidence.images.collection import UAC_ROOT, collected, is_drive
from hinomi.evidence.images.disk import open_disk
from hinomi.evidence.images.foldertree import folder_tree
from hinomi.evidence.images.inner import Candidate, InnerImages, SourceView, holds_image
from hinomi.evidence.images.opening import Allowance, Opened, looks_like_root, open_trees, reason_of
from hinomi.evidence.images.packing import image_row
from hinomi.evidence.images.tree import Tree
from hinomi.evidence.images.view import MIN_READ_BUDGET, ImageView
from hinomi.evidence.options import Selection
from hinomi.evidence.ownership import ownership_of
from hinomi.evidence.sources.platforms import host_label, platform_of
from hinomi.evidence.sources.root import root_target
from hinomi.evidence.target import Limits, Target
from hinomi.evidence.view import FileSystemView
from hinomi.model.errors import ParseError, TargetError
from hinomi.model.findings import Coverage
from hinomi.model.tables.images import ImageRow
from hinomi.model.text import path_text, printable

ARROW = " » "
T = TypeVar("T")
MAX_NESTING = 4
MAX_INNER_BYTES = 64 << 30  # of the files that hold them
_NOT_ROOTS = frozenset({b"META-INF", b"[Content_Types].xml", b"AndroidManifest.xml", b"mimetype"})


@dataclass(frozen=True, slots=True)
class Image:
    """A target within an image. `way` is the way in from the outermost target, empty for that one itself."""

    target: Target
    tree: Tree
    allowance: Allowance
    row: ImageRow
    way: tuple[str, ...] = ()
    beside: tuple[Image, ...] = ()  # further trees of the same file: partitions, images of a registry export
    selection: Selection | None = None


@dataclass(slots=True)
class Surroundings:
    """Where images are looked for: a target, the way to it, and what opening what is in it may cost."""

    target: Target
    view: SourceView
    allowance: Allowance
    way: tuple[str, ...] = ()
    selection: Selection | None = None
    update: bool = False  # an archive in it is part of it, whatever it holds
    bytes_left: int = MAX_INNER_BYTES

    @classmethod
    def of_image(cls, image: Image) -> Surroundings:
        """Look inside an image."""
        view = image.target.view
        assert isinstance(view, ImageView)  # made by this module only
        update = not looks_like_root(image.tree)
        return cls(image.target, view, image.allowance, image.way, image.selection, update)

    @classmethod
    def of_folder(cls, target: Target, view: SourceView, selection: Selection | None, work: str | None) -> Surroundings:
        """Look inside a folder or this host."""
        return cls(target, view, Allowance.for_size(0, work), selection=selection)


def open_image(
    path: str | os.PathLike[str],
    *,
    kind: str | None = None,
    limits: Limits | None = None,
    selection: Selection | None = None,
    work: str | None = None,
    part: tuple[int, int] | None = None,
    shown: str | None = None,
) -> Image:
    """Open a file as a target, in place: nothing is mounted, run or written but unlinked temporary files in `work`.

    `kind` overrides what the content says, `shown` the name by the path; of a `part` only the bytes from its start to
    its end are looked at. Raises `TargetError` where the file cannot be
    opened as any known kind.
    """
    name = os.fspath(path)
    try:
        source: Source = open_disk(os.fsencode(name))
        if part is not None:
            source = SliceSource(source, part[0], part[1] - part[0])
    except OSError as error:
        code = "target.permission" if isinstance(error, PermissionError) else "target.missing"
        raise TargetError(code, place=name, cause=error.strerror or "cannot be opened") from error
    allowance = Allowance.for_size(source.size, work)
    try:
        opened = open_trees(source, allowance, kind, FolderBeside(os.fsencode(name)))
    except ParseError as error:
        raise TargetError("target.not-an-image", place=name, cause=_words(error)) from error
    label = os.path.basename(name.rstrip("/")) or "image"
    return _image(shown or name, label, opened, _Opening(allowance, (), limits or Limits(), selection, source))


def open_collection(
    path: str | os.PathLike[str], *, limits: Limits | None = None, selection: Selection | None = None
) -> Image | None:
    """Open a folder that holds an unpacked collection of another tool; None where it is an ordinary folder.

    Only a few names are looked at to tell; `TargetError` where the folder cannot be opened.
    """
    name = os.fspath(path)
    bounds = limits or Limits()
    root = root_target(path, limits=bounds)
    view = root.view
    if not isinstance(view, SourceView) or not _may_be_collection(view):
        return None
    tree = folder_tree(view, view)
    opened = [Opened(*one) for one in collected(tree)]
    if not opened:
        return None
    for place, reason, detail in tree.notes.missed:
        opened[0].tree.notes.miss(place, reason, detail)
    opening = _Opening(Allowance.for_size(0), (), bounds, selection, BytesSource(b""))
    label = os.path.basename(os.path.realpath(name)) or "collection"
    return _image(name, label, [Opened("", opened[0].tree), *opened[1:]], opening)


def _may_be_collection(view: FileSystemView) -> bool:
    """Whether a folder, or the only one in it, has a name that collections have."""
    names = view.listdir(b"/")
    if len(names) == 1:
        names = [*names, *view.listdir(b"/" + names[0])]
    return any(name in (UAC_ROOT, b"uploads") or is_drive(name) for name in names)


def image_target(path: str | os.PathLike[str], *, kind: str | None = None, limits: Limits | None = None) -> Target:
    """Return a file as a target (see `open_image`), without what is nested in it."""
    return open_image(path, kind=kind, limits=limits).target


def is_image_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a regular file or a block device: what an image may be."""
    mode = os.stat(path).st_mode
    return stat.S_ISREG(mode) or stat.S_ISBLK(mode)


Opener = Callable[[Surroundings, Candidate, str, Coverage], T | None]


def inner_images(around: Surroundings, noted: InnerImages, coverage: Coverage, room: int) -> list[Image]:
    """Open at most `room` file systems found inside a target; one that cannot be is a miss with its reason."""
    return inner_targets(around, noted, coverage, room, open_inner)


def inner_targets(
    around: Surroundings, noted: InnerImages, coverage: Coverage, room: int, open_one: Opener[T]
) -> list[T]:
    """Let `open_one` open at most `room` file systems found inside a target; return what it gave for each."""
    found: list[T] = []
    for candidate in noted.found(around.view, coverage):
        shown = ARROW.join((*around.way, printable(path_text(candidate.path.lstrip(b"/")))))
        if len(around.way) >= MAX_NESTING or len(found) >= room:
            coverage.miss("images", shown, "budget", "depth" if len(around.way) >= MAX_NESTING else "images")
            continue
        opened = open_one(around, candidate, shown, coverage)
        if opened is not None:
            found.append(opened)
    return found


def open_inner(around: Surroundings, candidate: Candidate, shown: str, coverage: Coverage) -> Image | None:
    """Open one file inside a target; None, and why in `coverage`, where it cannot be or is not worth it."""
    try:
        source = around.view.file_source(candidate.path)
        if source.size > around.bytes_left:
            coverage.miss("images", shown, "budget", f"{source.size} bytes: name it as a target of its own")
            return None
        around.bytes_left -= source.size
        opened = open_trees(source, around.allowance, None, ViewBeside(around.view, candidate.path))
    except (ParseError, OSError) as error:
        reason = reason_of(error) if isinstance(error, ParseError) else "unreadable"
        if not candidate.archive or isinstance(error, BudgetError):
            coverage.miss("images", shown, reason, _words(error))
        else:
            coverage.skip(f"image:{candidate.kind}-{reason}")
        return None
    if candidate.archive and not _worth(opened[0].tree, around.update):
        coverage.skip("image:archive-without-root")
        return None
    way = (*around.way, printable(path_text(candidate.path.lstrip(b"/"))))
    name = around.target.name + ARROW + way[-1]
    opening = _Opening(around.allowance, way, around.target.limits, around.selection, source)
    return _image(name, way[-1], opened, opening)


def _worth(tree: Tree, update: bool) -> bool:
    """Whether an archive inside is examined as a target: a root, or an update or part of one."""
    try:
        names = tree.children(tree.root).keys()
        return looks_like_root(tree) or (not _NOT_ROOTS & names and (update or holds_image(tree)))
    except ParseError:
        return False


@dataclass(frozen=True, slots=True)
class _Opening:
    """What the trees of one file share."""

    allowance: Allowance
    way: tuple[str, ...]
    limits: Limits
    selection: Selection | None
    source: Source


def _image(name: str, label: str, opened: list[Opened], opening: _Opening) -> Image:
    images: list[Image] = []
    for item in opened:
        inside = (*opening.way, item.label) if item.label else opening.way
        full = name + ARROW + item.label if item.label and (images or len(opened) > 1) else name
        shown = ARROW.join(inside) or printable(label)
        target = _target(full, label, item.tree, opening)
        row = image_row(shown, opening.source, item.tree)
        images.append(Image(target, item.tree, opening.allowance, row, inside, selection=opening.selection))
    return replace(images[0], beside=tuple(images[1:]))


def _target(name: str, label: str, tree: Tree, opening: _Opening) -> Target:
    budget = max(MIN_READ_BUDGET, 16 * opening.source.size)
    view = ImageView(tree, max_depth=opening.limits.max_walk_depth, budget=budget, selection=opening.selection)
    return Target(
        name=name,
        kind="image",
        host=host_label(view, label),
        view=view,
        ownership=ownership_of(view),
        platform=platform_of(view),
        limits=opening.limits,
    )


def say_notes(image: Image, coverage: Coverage) -> None:
    """Move what the tree noted so far into the coverage; called once, after the walk."""
    notes = image.tree.notes
    for place, reason, detail in notes.missed:
        subject = ARROW.join((*image.way, place)) if place else ARROW.join(image.way) or image.target.name
        coverage.miss("images", subject, reason, printable(detail), transient=reason == "changed")
    coverage.skipped.update(notes.skipped)


def _words(error: Exception) -> str:
    cause = getattr(error, "cause", "") or str(error)
    return printable(cause)[:300]
