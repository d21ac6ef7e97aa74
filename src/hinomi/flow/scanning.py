"""Examine targets: evidence, findings, stories and coverage of each, kept in the case."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hinomi.evidence.options import ScanOptions
from hinomi.evidence.priority import be_nice
from hinomi.flow.apart import close_all, image_apart, images_inside, is_opened_apart, parts_apart, watchers_of
from hinomi.flow.earlier import last_interrupted
from hinomi.flow.habits import Habits, remembered
from hinomi.flow.memory import about_chosen, collectors_for, needs_live, not_live
from hinomi.flow.original import ARROW, Original
from hinomi.model.errors import TargetError, UsageError
from hinomi.model.findings import Coverage, Finding, Story
from hinomi.store.case import Case, Run

if TYPE_CHECKING:
    from hinomi.detect.catalogue import Catalogue
    from hinomi.detect.indicator import Indicator
    from hinomi.evidence.apart.apart import Apart, LookApart
    from hinomi.evidence.apart.examination import Sink
    from hinomi.evidence.images.inner import InnerImages
    from hinomi.evidence.sources.image import Image
    from hinomi.evidence.target import Target
    from hinomi.model.tables import Row

CACHE = "cache"  # folder in the case
DEFAULTS = ScanOptions()
Progress = Callable[[int, int, str], None]  # files, bytes, current path
Fill = Callable[["Sink", Coverage], None]  # hands over the rows of one target


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
    job = _Job(case, catalogue, indicators, progress, options)
    opened: list[Target | Apart] = []
    try:
        for name in targets:
            opened += _open(job, name, kind)
        if compare is not None:
            job = replace(job, original=_look_at_original(job, compare))
        results = [result for target in opened for result in _scan_any(job, target)]
    finally:
        close_all(opened)
    if job.original is not None and results:
        job.original.tell_missing(results[0].coverage)
    return results


def _open(job: _Job, name: str, kind: str | None = None) -> list[Target | Apart]:
    """Open a target: a folder or this host here, an image in a process of its own, or its parts."""
    from hinomi.evidence.target import Target

    if is_opened_apart(name):
        try:
            opened = image_apart(
                name, lambda: open_target(name, exclude=[job.case.path], kind=kind, options=job.options),
                job.catalogue, job.options, job.case.path,
            )  # fmt: skip
        except TargetError as error:
            if error.code != "target.not-an-image" or job.options.unblob is None or Path(name).is_dir():
                raise
            return [*parts_apart(name, job.catalogue, job.options, job.case.path)]
        return [opened]
    target = open_target(name, exclude=[job.case.path], kind=kind, options=job.options)
    if not isinstance(target, Target):  # it became another tool's collection meanwhile
        raise TargetError("target.missing", place=name, cause="changed meanwhile")
    return [target]


def _look_at_original(job: _Job, name: str) -> Original:
    """Read the original's rows, of every file system inside it too; no rule is asked about it."""
    from hinomi.detect.catalogue import Catalogue

    job = replace(job, catalogue=Catalogue(()), indicators=())
    looks = [look for target in _open(job, name) for look in _scan_any(job, target)]
    return Original.of([(look.target, job.case.tables(look.run), look.coverage) for look in looks])


def _scan_any(job: _Job, target: Target | Apart) -> list[ScanResult]:
    """Examine a target, then what lies beside it in the same file and what was found inside."""
    from hinomi.evidence.apart.apart import Apart

    if isinstance(target, Apart):
        return _scan_apart(job, target, target.said)
    noted = _noted_in(job, target)
    apart: list[Apart] = []

    def fill(sink: Sink, coverage: Coverage) -> None:
        from hinomi.evidence.collect import collect

        def see(row: Row) -> None:
            sink(row)
            if noted is not None:
                noted.take(row)

        options = job.options
        collect(
            target, see, coverage,
            collectors=collectors_for(target, options, job.catalogue), watchers=watchers_of(job.catalogue, options),
            progress=job.progress, jobs=options.jobs, nice=options.nice,
            cache=job.case.path / CACHE if options.use_cache else None, files=options.reads_files,
        )  # fmt: skip
        if noted is not None and noted.any:
            apart.append(images_inside(target, noted, job.catalogue, options, job.case.path))
            coverage.merge(apart[0].opened(target.name))

    try:
        result = _scan(job, target, fill)
        return [result, *(more for one in apart for more in _scan_apart(job, one, Coverage()))]
    finally:
        for one in apart:
            one.close()


def _noted_in(job: _Job, target: Target) -> InnerImages | None:
    """Return what notes the images in a target, where they are asked for and can be read."""
    from hinomi.evidence.images.inner import InnerImages, SourceView

    return InnerImages() if job.options.nested and isinstance(target.view, SourceView) else None


def _scan_apart(job: _Job, apart: Apart, said: Coverage) -> list[ScanResult]:
    """Take the looks of images that are examined apart; `said` joins the first one's coverage."""
    results: list[ScanResult] = []
    try:
        for look in apart.looks():
            if needs_live(job.options):
                raise not_live(look.name)

            def fill(sink: Sink, coverage: Coverage, look: LookApart = look) -> None:
                coverage.merge(said if not results else Coverage())
                look.tell(sink, coverage, job.progress)

            results.append(_scan(job, look, fill))
    finally:
        apart.close()
    return results


def _scan(job: _Job, target: Target | LookApart, fill: Fill) -> ScanResult:
    """Examine one target."""
    resumed = last_interrupted(job.case, target.name) if job.options.use_cache else None
    run = job.case.begin_run(target=target.name, kind=target.kind, host=target.host)
    if resumed is not None:
        job.case.journal.append("run-resumes", run=run.id, of=resumed.id)
    try:
        return _examine(job, run, target, fill)
    except BaseException:
        run.abandon()
        raise


def _examine(job: _Job, run: Run, target: Target | LookApart, fill: Fill) -> ScanResult:
    case, options, coverage = job.case, job.options, Coverage()
    habits = remembered(case, target.host, coverage) if target.kind == "live" else Habits()

    def sink(row: Row) -> None:
        run.add(row)
        habits.see(row)

    fill(sink, coverage)
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
