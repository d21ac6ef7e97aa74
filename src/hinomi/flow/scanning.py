"""Examine targets: evidence, findings, stories and coverage of each, kept in the case."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hinomi.evidence.options import ScanOptions
from hinomi.evidence.priority import be_nice
from hinomi.model.errors import TargetError
from hinomi.model.findings import Coverage, Finding, Story
from hinomi.store.case import Case, Run

if TYPE_CHECKING:
    from hinomi.detect.catalogue import Catalogue
    from hinomi.detect.indicator import Indicator
    from hinomi.evidence.sources.image import Image
    from hinomi.evidence.target import Target
    from hinomi.model.tables import Row

ARROW = " » "
CACHE = "cache"  # folder in the case
DEFAULTS = ScanOptions()
Progress = Callable[[int, int, str], None]  # files, bytes, current path


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one look at one target gave."""

    target: str
    run: str
    findings: tuple[Finding, ...]
    stories: tuple[Story, ...]
    coverage: Coverage


def open_target(
    name: str, *, exclude: Sequence[Path] = (), kind: str | None = None, options: ScanOptions = DEFAULTS
) -> Target | Image:
    """Turn a TARGET of the command line into a target: `/` is this live host, a folder a root, a file an image.

    `kind` says what the file is where its content must not decide.
    """
    from hinomi.evidence.sources.live import live_target
    from hinomi.evidence.sources.root import root_target

    path = Path(name)
    left_out = [os.fsencode(p.absolute()) for p in exclude]
    if not path.exists():
        raise TargetError("target.missing", place=name, cause="no such file or folder")
    if not path.is_dir():
        return _open_file(name, kind, exclude)
    if kind is not None:
        raise TargetError("target.not-an-image", place=name, cause="a folder")
    if path.resolve() == Path("/"):
        return live_target(exclude=left_out, limits=options.limits(), selection=options.selection())
    return root_target(path, exclude=left_out, limits=options.limits(), selection=options.selection())


def _open_file(name: str, kind: str | None, exclude: Sequence[Path]) -> Image:
    """Open an image; what must be unpacked lies in the case, in files without a name."""
    from hinomi.evidence.sources.image import is_image_file, open_image

    if not is_image_file(name):
        raise TargetError("target.not-an-image", place=name, cause="neither a folder nor a regular file")
    return open_image(name, kind=kind, work=str(exclude[0]) if exclude else None)


def scan(
    case: Case,
    targets: Sequence[str],
    catalogue: Catalogue,
    indicators: Sequence[Indicator] = (),
    *,
    progress: Progress | None = None,
    kind: str | None = None,
    options: ScanOptions = DEFAULTS,
) -> list[ScanResult]:
    """Examine every target in turn; a target that cannot be opened at all raises `TargetError` before any work.

    With `options.nice` this whole process gives way to others from here on.
    An image gives one result for itself and one for each file system found inside it, outer ones first.
    """
    from hinomi.evidence.target import Target

    if options.nice:
        be_nice()
    opened = [open_target(name, exclude=[case.path], kind=kind, options=options) for name in targets]
    results: list[ScanResult] = []
    for target in opened:
        if isinstance(target, Target):
            results.append(_scan(case, target, catalogue, indicators, progress, options=options))
        else:
            results += _scan_image(case, target, catalogue, indicators, progress, options)
    return results


def _scan_image(
    case: Case,
    image: Image,
    catalogue: Catalogue,
    indicators: Sequence[Indicator],
    progress: Progress | None,
    options: ScanOptions,
) -> list[ScanResult]:
    """Examine an image, then what lies beside it in the same file and what was found inside, breadth first."""
    from hinomi.evidence.images.inner import InnerImages
    from hinomi.evidence.sources.image import MAX_INNER, inner_images, say_notes

    results: list[ScanResult] = []
    todo = deque([image, *image.beside])
    while todo:
        now, noted = todo.popleft(), InnerImages()

        def after(coverage: Coverage, now: Image = now, noted: InnerImages = noted) -> None:
            room = MAX_INNER - len(results) - len(todo)
            for inner in inner_images(now, noted, coverage, room):
                todo.extend((inner, *inner.beside))
            say_notes(now, coverage)

        more = _More(noted.take, after, (now.row,))
        results.append(_scan(case, now.target, catalogue, indicators, progress, more, options=options))
    return results


def _nothing(_: object) -> None:
    """See and add nothing."""


@dataclass(frozen=True, slots=True)
class _More:
    """What a scan of an image adds: who sees the rows, what adds to the coverage, rows of its own."""

    see: Callable[[Row], None] = _nothing
    after: Callable[[Coverage], None] = _nothing
    rows: Sequence[Row] = ()


def _scan(
    case: Case,
    target: Target,
    catalogue: Catalogue,
    indicators: Sequence[Indicator],
    progress: Progress | None,
    more: _More | None = None,
    *,
    options: ScanOptions = DEFAULTS,
) -> ScanResult:
    """Examine one target."""
    run = case.begin_run(target=target.name, kind=target.kind, host=target.host)
    try:
        return _examine(case, run, target, catalogue, indicators, progress, more or _More(), options)
    except BaseException:
        run.abandon()
        raise


def _examine(
    case: Case,
    run: Run,
    target: Target,
    catalogue: Catalogue,
    indicators: Sequence[Indicator],
    progress: Progress | None,
    more: _More,
    options: ScanOptions,
) -> ScanResult:
    from hinomi.detect.yara import content_collector
    from hinomi.evidence.collect import collect

    coverage = Coverage()
    for row in more.rows:
        run.add(row)

    def sink(row: Row) -> None:
        run.add(row)
        more.see(row)

    cache = case.path / CACHE if options.use_cache else None
    collect(
        target,
        sink,
        coverage,
        watchers=[content_collector(catalogue)],
        progress=progress,
        jobs=options.jobs,
        nice=options.nice,
        cache=cache,
    )
    more.after(coverage)
    run.seal()
    seen = case.clock().isoformat()
    findings, stories = judge_rows(case, run.id, target.name, catalogue, indicators, coverage, seen=seen)
    run.finish(coverage)
    return ScanResult(target.name, run.id, findings, stories, coverage)


def judge_rows(
    case: Case,
    run_id: str,
    target: str,
    catalogue: Catalogue,
    indicators: Sequence[Indicator],
    coverage: Coverage,
    *,
    seen: str,
) -> tuple[tuple[Finding, ...], tuple[Story, ...]]:
    """Ask every rule of a run's rows; keep and return the findings with their stories. `seen` is when the rows were."""
    from hinomi.detect.detect import detect
    from hinomi.detect.story import tell

    found = detect(case.tables(run_id), catalogue, indicators, target=target, run=run_id, coverage=coverage, seen=seen)
    stories = tuple(tell(found))
    return tuple(case.findings.keep([_with_way_in(f) for f in found], run_id, seen)), stories


def _with_way_in(finding: Finding) -> Finding:
    """Show the way to a place inside a nested image: `initrd.gz » /etc/rc.local` for the target `a.bin » initrd.gz`."""
    _, arrow, way = finding.target.partition(ARROW)
    if not arrow:
        return finding

    def shown(place: str) -> str:
        return f"{way}{ARROW}{place}" if place.startswith("/") else place

    return replace(finding, subject_key=shown(finding.subject_key), related=tuple(shown(r) for r in finding.related))
