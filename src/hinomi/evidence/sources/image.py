"""An image, firmware or archive as a target, and the file systems found inside it as targets of their own."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.beside import FolderBeside, ViewBeside
from hinomi.evidence.images.disk import open_disk
from hinomi.evidence.images.inner import Candidate, InnerImages
from hinomi.evidence.images.opening import Allowance, Opened, looks_like_root, open_trees, reason_of
from hinomi.evidence.images.packing import image_row
from hinomi.evidence.images.tree import Tree
from hinomi.evidence.images.view import MIN_READ_BUDGET, ImageView
from hinomi.evidence.ownership import ownership_of
from hinomi.evidence.sources.platforms import host_label, platform_of
from hinomi.evidence.target import Limits, Target
from hinomi.model.errors import ParseError, TargetError
from hinomi.model.findings import Coverage
from hinomi.model.tables.images import ImageRow
from hinomi.model.text import path_text, printable

ARROW = " » "
MAX_NESTING = 4
MAX_INNER = 64  # targets within one
_NOT_ROOTS = frozenset({b"META-INF", b"[Content_Types].xml", b"AndroidManifest.xml", b"mimetype"})


@dataclass(frozen=True, slots=True)
class Image:
    """A target within an image. `way` is the way in from the outermost file, empty for that one itself."""

    target: Target
    allowance: Allowance
    row: ImageRow
    way: tuple[str, ...] = ()
    beside: tuple[Image, ...] = ()  # further trees of the same file: partitions, images of a registry export

    @property
    def tree(self) -> Tree:
        """The tree that the target shows."""
        view = self.target.view
        assert isinstance(view, ImageView)  # made by this module only
        return view.tree


def open_image(path: str | os.PathLike[str], *, kind: str | None = None, limits: Limits | None = None,
               work: str | None = None) -> Image:  # fmt: skip
    """Open a file as a target, in place: nothing is mounted, run or written but unlinked temporary files in `work`.

    `kind` overrides what the content says. Raises `TargetError` where the file cannot be opened as any known kind.
    """
    name = os.fspath(path)
    try:
        source: Source = open_disk(os.fsencode(name))
    except OSError as error:
        code = "target.permission" if isinstance(error, PermissionError) else "target.missing"
        raise TargetError(code, place=name, cause=error.strerror or "cannot be opened") from error
    allowance = Allowance.for_size(source.size, work)
    try:
        opened = open_trees(source, allowance, kind, FolderBeside(os.fsencode(name)))
    except ParseError as error:
        raise TargetError("target.not-an-image", place=name, cause=_words(error)) from error
    label = os.path.basename(name.rstrip("/")) or "image"
    return _image(name, label, opened, allowance, (), limits or Limits(), source)


def image_target(path: str | os.PathLike[str], *, kind: str | None = None, limits: Limits | None = None) -> Target:
    """Return a file as a target (see `open_image`), without what is nested in it."""
    return open_image(path, kind=kind, limits=limits).target


def is_image_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a regular file or a block device: what an image may be."""
    mode = os.stat(path).st_mode
    return stat.S_ISREG(mode) or stat.S_ISBLK(mode)


def inner_images(outer: Image, noted: InnerImages, coverage: Coverage, room: int = MAX_INNER) -> list[Image]:
    """Open at most `room` file systems found inside a target; one that cannot be is a miss with its reason."""
    view = outer.target.view
    assert isinstance(view, ImageView)  # made by this module only
    candidates = noted.found(view, coverage)
    found: list[Image] = []
    update = not looks_like_root(outer.tree)
    for candidate in candidates:
        shown = ARROW.join((*outer.way, printable(path_text(candidate.path.lstrip(b"/")))))
        if len(outer.way) >= MAX_NESTING or len(found) >= room:
            coverage.miss("images", shown, "budget", "depth" if len(outer.way) >= MAX_NESTING else "images")
            continue
        image = _inner(outer, candidate, update, shown, coverage)
        if image is not None:
            found.append(image)
    return found


def _inner(outer: Image, candidate: Candidate, update: bool, shown: str, coverage: Coverage) -> Image | None:
    view = outer.target.view
    assert isinstance(view, ImageView)  # made by this module only
    try:
        source = view.file_source(candidate.path)
        opened = open_trees(source, outer.allowance, None, ViewBeside(view, candidate.path))
    except (ParseError, OSError) as error:
        reason = reason_of(error) if isinstance(error, ParseError) else "unreadable"
        if not candidate.archive or isinstance(error, BudgetError):
            coverage.miss("images", shown, reason, _words(error))
        else:
            coverage.skip(f"image:{candidate.kind}-{reason}")
        return None
    if candidate.archive and not _worth(opened[0].tree, update):
        coverage.skip("image:archive-without-root")
        return None
    way = (*outer.way, printable(path_text(candidate.path.lstrip(b"/"))))
    name = outer.target.name + ARROW + way[-1]
    return _image(name, way[-1], opened, outer.allowance, way, outer.target.limits, source)


def _worth(tree: Tree, update: bool) -> bool:
    """Whether an archive inside is examined as a target: a root, or part of an update that is no root itself."""
    try:
        names = tree.children(tree.root).keys()
    except ParseError:
        return False
    return looks_like_root(tree) or (update and not _NOT_ROOTS & names)


def _image(name: str, label: str, opened: list[Opened], allowance: Allowance, way: tuple[str, ...], limits: Limits,
           source: Source) -> Image:  # fmt: skip
    images: list[Image] = []
    for item in opened:
        inside = (*way, item.label) if item.label else way
        full = name + ARROW + item.label if item.label and (images or len(opened) > 1) else name
        shown = ARROW.join(inside) or printable(label)
        target = _target(full, label, item.tree, limits, source.size)
        images.append(Image(target, allowance, image_row(shown, source, item.tree), inside))
    return replace(images[0], beside=tuple(images[1:]))


def _target(name: str, label: str, tree: Tree, limits: Limits, size: int) -> Target:
    view = ImageView(tree, max_depth=limits.max_walk_depth, budget=max(MIN_READ_BUDGET, 16 * size))
    return Target(
        name=name,
        kind="image",
        host=host_label(view, label),
        view=view,
        ownership=ownership_of(view),
        platform=platform_of(view),
        limits=limits,
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
