"""Images are examined in processes of their own: what those processes look for, and within which bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hinomi.evidence.apart.apart import Apart, How
from hinomi.evidence.apart.examination import Look, Progress, Sink
from hinomi.evidence.collector import load_collectors
from hinomi.evidence.pipeline import MAX_JOBS, usable_cores
from hinomi.evidence.sources.image import ARROW, Image, Surroundings, is_image_file, open_collection, open_image
from hinomi.model.errors import ParseError, TargetError
from hinomi.model.findings import Coverage

if TYPE_CHECKING:
    from hinomi.detect.catalogue import Catalogue
    from hinomi.evidence.collector import ContentCollector
    from hinomi.evidence.images.inner import InnerImages
    from hinomi.evidence.options import ScanOptions
    from hinomi.evidence.outside.dissect import Settings
    from hinomi.evidence.target import Target

MAX_INNER = 64  # targets found inside one


def watchers_of(catalogue: Catalogue, options: ScanOptions) -> Sequence[ContentCollector]:
    """Return what a catalogue's rules look for in the content of files."""
    from hinomi.detect.yara import content_collector

    return [content_collector(catalogue)] if options.reads_files else []


def is_opened_apart(name: str) -> bool:
    """Whether a target is a file, or a folder that holds another tool's collection."""
    path = Path(name)
    if path.is_dir():
        return path.resolve() != Path("/") and open_collection(path) is not None
    return path.exists() and is_image_file(name)


def image_apart(
    name: str, open_: Callable[[], Target | Image], catalogue: Catalogue, options: ScanOptions, work: Path
) -> Apart:
    """Open an image in a process of its own; `TargetError` where that cannot be."""

    def opened() -> Image:
        image = open_()
        if not isinstance(image, Image):
            raise TargetError("target.not-an-image", place=name, cause="changed meanwhile")
        return image

    apart = Apart.of_file(_how(catalogue, options, work), opened)
    apart.opened(name)
    return apart


def parts_apart(name: str, catalogue: Catalogue, options: ScanOptions, work: Path) -> list[Apart]:
    """Open the parts that unblob finds in a file that nothing here opens.

    `TargetError` where there are none that open. What lies between the parts is said to be not understood.
    """
    from hinomi.evidence.outside.unblob import parts_of

    try:
        parts = parts_of(str(options.unblob), Path(name), work)
    except ParseError as error:
        raise TargetError("target.not-an-image", place=name, cause=error.cause) from error
    how, found, closed = _how(catalogue, options, work), list[Apart](), Coverage()
    closed.miss("images", name, "partial", f"{len(parts)} parts that unblob found; the rest is not understood")
    for part in parts:
        shown = f"{name}{ARROW}{part.start}-{part.end}.{part.handler}"
        apart = Apart.of_file(how, partial(_open_part, name, (part.start, part.end), shown, options, work))
        try:
            apart.opened(shown)
            found.append(apart)
        except TargetError as error:
            closed.miss("images", shown, "unsupported", error.cause)
    if not found:
        causes = "; ".join(f"{miss.subject}: {miss.detail}" for miss in closed.misses[1:4])
        raise TargetError("target.not-an-image", place=name, cause=causes)
    found[0].said.merge(closed)
    return found


def _open_part(name: str, part: tuple[int, int], shown: str, options: ScanOptions, work: Path) -> Image:
    return open_image(
        name, limits=options.limits(), selection=options.selection(), work=str(work), part=part, shown=shown
    )  # fmt: skip


def images_inside(target: Target, noted: InnerImages, catalogue: Catalogue, options: ScanOptions, work: Path) -> Apart:
    """Open the images noted in a folder or on a host in processes of their own."""
    from hinomi.evidence.images.inner import SourceView

    assert isinstance(target.view, SourceView)  # or nothing would have been noted
    around = Surroundings.of_folder(target, target.view, options.selection(), str(work))
    return Apart.of_folder(_how(catalogue, options, work), around, noted)


def _how(catalogue: Catalogue, options: ScanOptions, work: Path) -> How:
    jobs = options.jobs or min(usable_cores(), MAX_JOBS)
    return How(_look(catalogue, options, jobs), MAX_INNER - 1, options.nested, jobs, work, _dissect(options))


def _dissect(options: ScanOptions) -> Settings | None:
    """Return how dissect is started, where it was asked for; `TargetError` where it or the keys are not there."""
    if options.dissect is None:
        return None
    from hinomi.evidence.outside.dissect import Settings, interpreter_of, keys_in

    try:
        return Settings(interpreter_of(options.dissect), keys_in(options.key_file))
    except ParseError as error:
        raise TargetError("target.missing", place="--dissect", cause=error.cause) from error


def _look(catalogue: Catalogue, options: ScanOptions, jobs: int) -> Look:
    """Return what looks at one image; what all processes need is loaded before they are made."""
    from hinomi.evidence.collect import collect

    watchers = watchers_of(catalogue, options)
    for collector in (*load_collectors(), *watchers):
        prepare = getattr(collector, "prepare", None)
        if prepare is not None:
            prepare()

    def look(image: Image, sink: Sink, coverage: Coverage, progress: Progress) -> None:
        collect(
            image.target, sink, coverage, watchers=watchers, progress=progress, jobs=jobs, nice=options.nice,
            files=options.reads_files,
        )  # fmt: skip

    return look


def close_all(targets: Sequence[object]) -> None:
    """End what is still examined apart."""
    for target in targets:
        if isinstance(target, Apart):
            target.close()
