"""Examine targets: evidence, findings, stories and coverage of each, kept in the case."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hinomi.model.errors import TargetError
from hinomi.model.findings import Coverage, Finding, Story
from hinomi.store.case import Case, Run

if TYPE_CHECKING:
    from hinomi.detect.catalogue import Catalogue
    from hinomi.detect.indicator import Indicator
    from hinomi.evidence.target import Target

Progress = Callable[[int, int, str], None]  # files, bytes, current path


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one look at one target gave."""

    target: str
    run: str
    findings: tuple[Finding, ...]
    stories: tuple[Story, ...]
    coverage: Coverage


def open_target(name: str, *, exclude: Sequence[Path] = ()) -> Target:
    """Turn a TARGET of the command line into a target: `/` is this live host, another folder a root file system."""
    from hinomi.evidence.sources.live import live_target
    from hinomi.evidence.sources.root import root_target

    path = Path(name)
    left_out = [os.fsencode(p.absolute()) for p in exclude]
    if not path.exists():
        raise TargetError("target.missing", place=name, cause="no such file or folder")
    if not path.is_dir():
        raise TargetError("target.not-a-folder", place=name, cause="only folders can be examined so far")
    if path.resolve() == Path("/"):
        return live_target(exclude=left_out)
    return root_target(path, exclude=left_out)


def scan(
    case: Case,
    targets: Sequence[str],
    catalogue: Catalogue,
    indicators: Sequence[Indicator] = (),
    *,
    progress: Progress | None = None,
) -> list[ScanResult]:
    """Examine every target in turn; a target that cannot be opened at all raises `TargetError` before any work."""
    opened = [open_target(name, exclude=[case.path]) for name in targets]
    return [_scan(case, target, catalogue, indicators, progress) for target in opened]


def _scan(
    case: Case, target: Target, catalogue: Catalogue, indicators: Sequence[Indicator], progress: Progress | None
) -> ScanResult:
    run = case.begin_run(target=target.name, kind=target.kind, host=target.host)
    try:
        return _examine(case, run, target, catalogue, indicators, progress)
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
) -> ScanResult:
    from hinomi.detect.yara import content_collector
    from hinomi.evidence.collect import collect

    coverage = Coverage()
    collect(target, run.add, coverage, watchers=[content_collector(catalogue)], progress=progress)
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
    return tuple(case.findings.keep(found, run_id, seen)), tuple(tell(found))
