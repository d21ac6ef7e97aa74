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
from hinomi.flow.earlier import last_interrupted
from hinomi.flow.habits import remembered
from hinomi.flow.memory import about_chosen, collectors_for
from hinomi.flow.original import ARROW, Original
from hinomi.model.errors import TargetError, UsageError
from hinomi.model.findings import Coverage, Finding, Story
from hinomi.store.case import Case, Run

if TYPE_CHECKING:
    from hinomi.detect.catalogue import Catalogue
    from hinomi.detect.indicator import Indicator
    from hinomi.evidence.sources.image import Image, Surroundings
    from hinomi.evidence.target import Target
    from hinomi.model.tables import Row

CACHE = "cache"  # folder in the case
MAX_INNER = 64  # targets found inside one
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
    from hinomi.evidence.sources.image import open_collection
    from hinomi.evidence.sources.live import live_target
    from hinomi.evidence.sources.root import root_target

    path = Path(name)
    left_out = [os.fsencode(p.absolute()) for p in exclude]
    if not path.exists():
        raise TargetError("target.missing", place=name, cause="no such file or folder")
    if not path.is_dir():
        return _open_file(name, kind, exclude, options)
    if kind is not None:
        raise TargetError("target.not-an-image", place=name, cause="a folder")
    if path.resolve() == Path("/"):
        return live_target(exclude=left_out, limits=options.limits(), selection=options.selection())
    collection = open_collection(path, limits=options.limits(), selection=options.selection())
    if collection is not None:
        return collection
    return root_target(path, exclude=left_out, limits=options.limits(), selection=options.selection())


def _open_file(name: str, kind: str | None, exclude: Sequence[Path], options: ScanOptions) -> Image:
    """Open an image; what must be unpacked lies in the case, in files without a name."""
    from hinomi.evidence.sources.image import is_image_file, open_image

    if not is_image_file(name):
        raise TargetError("target.not-an-image", place=name, cause="neither a folder nor a regular file")
    work = str(exclude[0]) if exclude else None
    return open_image(name, kind=kind, limits=options.limits(), selection=options.selection(), work=work)


@dataclass(frozen=True, slots=True)
class _Job:
    """What every look of one scan shares."""

    case: Case
    catalogue: Catalogue
    indicators: Sequence[Indicator]
    progress: Progress | None
    options: ScanOptions
    original: Original | None = None  # what the targets are compared with


def scan(
    case: Case,
    targets: Sequence[str],
    catalogue: Catalogue,
    indicators: Sequence[Indicator] = (),
    *,
    progress: Progress | None = None,
    kind: str | None = None,
    options: ScanOptions = DEFAULTS,
    compare: str | None = None,
) -> list[ScanResult]:
    """Examine every target in turn; a target that cannot be opened at all raises `TargetError` before any work.

    With `options.nice` this whole process gives way to others from here on.
    An image gives one result for itself and one for each file system found inside it, outer ones first.
    `compare` is the original of the one target, of the same sorts as a target: it is read without rules, and the
    baseline rules tell by meaning what the target has, lacks or does otherwise.
    """
    if options.nice:
        be_nice()
    if compare is not None and len(targets) != 1:
        raise UsageError("scan.compare-one", place="--compare", cause=str(len(targets)))
    opened = [open_target(name, exclude=[case.path], kind=kind, options=options) for name in targets]
    job = _Job(case, catalogue, indicators, progress, options)
    if compare is not None:
        job = replace(job, original=_look_at_original(job, compare))
    results = [result for target in opened for result in _scan_any(job, target)]
    if job.original is not None and results:
        job.original.tell_missing(results[0].coverage)
    return results


def _look_at_original(job: _Job, name: str) -> Original:
    """Read the original's rows, of every file system inside it too; no rule is asked about it."""
    from hinomi.detect.catalogue import Catalogue

    target = open_target(name, exclude=[job.case.path], options=job.options)
    looks = _scan_any(replace(job, catalogue=Catalogue(()), indicators=()), target)
    return Original.of([(look.target, job.case.tables(look.run), look.coverage) for look in looks])


def _scan_any(job: _Job, target: Target | Image) -> list[ScanResult]:
    """Examine a target, then what lies beside it in the same file and what was found inside, breadth first."""
    from hinomi.evidence.target import Target

    results: list[ScanResult] = []
    todo: deque[Target | Image] = deque([target])
    if not isinstance(target, Target):
        todo.extend(target.beside)
    while todo:
        now = todo.popleft()
        inside = _Inside(job, now, room=MAX_INNER - len(results) - len(todo))
        results.append(_scan(job, inside.target, inside.more()))
        todo.extend(inside.found)
    return results


class _Inside:
    """Looks for images inside one target as its rows pass, and opens them afterwards."""

    def __init__(self, job: _Job, now: Target | Image, room: int) -> None:
        from hinomi.evidence.images.inner import InnerImages
        from hinomi.evidence.target import Target

        self._image = None if isinstance(now, Target) else now
        self._room = room
        self._noted = InnerImages()
        self.target = now if isinstance(now, Target) else now.target
        self._around = self._surroundings(job) if job.options.nested else None
        self.found: list[Image] = []

    def _surroundings(self, job: _Job) -> Surroundings | None:
        from hinomi.evidence.images.inner import SourceView
        from hinomi.evidence.sources.image import Surroundings

        if self._image is not None:
            return Surroundings.of_image(self._image)
        view = self.target.view
        if not isinstance(view, SourceView):
            return None
        return Surroundings.of_folder(self.target, view, job.options.selection(), str(job.case.path))

    def more(self) -> _More:
        """Return what the scan of the target adds."""
        rows = (self._image.row,) if self._image is not None else ()
        return _More(self._noted.take if self._around is not None else _nothing, self._after, rows)

    def _after(self, coverage: Coverage) -> None:
        from hinomi.evidence.sources.image import inner_images, say_notes

        if self._around is not None:
            for inner in inner_images(self._around, self._noted, coverage, self._room):
                self.found.extend((inner, *inner.beside))
        if self._image is not None:
            say_notes(self._image, coverage)


def _nothing(_: object) -> None:
    """See and add nothing."""


@dataclass(frozen=True, slots=True)
class _More:
    """What a scan of an image adds: who sees the rows, what adds to the coverage, rows of its own."""

    see: Callable[[Row], None] = _nothing
    after: Callable[[Coverage], None] = _nothing
    rows: Sequence[Row] = ()


def _scan(job: _Job, target: Target, more: _More | None = None) -> ScanResult:
    """Examine one target."""
    resumed = last_interrupted(job.case, target.name) if job.options.use_cache else None
    run = job.case.begin_run(target=target.name, kind=target.kind, host=target.host)
    if resumed is not None:
        job.case.journal.append("run-resumes", run=run.id, of=resumed.id)
    try:
        return _examine(job, run, target, more or _More())
    except BaseException:
        run.abandon()
        raise


def _examine(job: _Job, run: Run, target: Target, more: _More) -> ScanResult:
    from hinomi.detect.yara import content_collector
    from hinomi.evidence.collect import collect

    case, options, coverage = job.case, job.options, Coverage()
    for row in more.rows:
        run.add(row)

    habits = remembered(case, target, coverage)

    def sink(row: Row) -> None:
        run.add(row)
        more.see(row)
        habits.see(row)

    collect(
        target,
        sink,
        coverage,
        collectors=collectors_for(target, options, job.catalogue),
        watchers=[content_collector(job.catalogue)] if options.reads_files else [],
        progress=job.progress,
        jobs=options.jobs,
        nice=options.nice,
        cache=case.path / CACHE if options.use_cache else None,
        files=options.reads_files,
    )
    more.after(coverage)
    for row in habits.deviations():
        run.add(row)
    run.seal()
    before = job.original.counterpart(target.name, coverage) if job.original else None
    seen = case.clock().isoformat()
    findings, stories = judge_rows(
        case, run.id, target.name, job.catalogue, job.indicators, coverage, seen=seen, before=before,
        about=lambda finding: about_chosen(finding, options),
    )  # fmt: skip
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
    before: dict[str, list[Path]] | None = None,
    about: Callable[[Finding], bool] = lambda _: True,
) -> tuple[tuple[Finding, ...], tuple[Story, ...]]:
    """Ask every rule of a run's rows; keep and return the findings with their stories.

    `seen` is when the rows were; `about` says which findings are asked for; `before` are the
    tables of the state that baseline rules compare them with.
    """
    from hinomi.detect.detect import detect
    from hinomi.detect.story import tell

    found = detect(
        case.tables(run_id), catalogue, indicators,
        target=target, run=run_id, coverage=coverage, seen=seen, before=before, known=case.advisories,
    )  # fmt: skip
    found = [finding for finding in found if about(finding)]
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
