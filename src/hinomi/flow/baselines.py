"""Create, verify and accept: what a target is, what differs from it now, and which differences become right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinomi import __version__
from hinomi.evidence.integrity.measure import Progress
from hinomi.evidence.options import ScanOptions, Selection
from hinomi.flow import baseline_shelf as shelf
from hinomi.flow.baseline_apart import look_at
from hinomi.flow.baseline_quick import measured_quickly
from hinomi.flow.baseline_target import BaselineTarget, measured, table_of_rows
from hinomi.flow.scanning import DEFAULTS, ScanResult, judge_rows
from hinomi.model.errors import UsageError
from hinomi.model.findings import Coverage
from hinomi.model.tables.baseline import Change
from hinomi.store.case import Case
from hinomi.watch.baseline.compare import Difference, compare
from hinomi.watch.baseline.entries import counts_of, replaced, stamps_of
from hinomi.watch.baseline.explain import explain
from hinomi.watch.baseline.rows import fault_row, hidden_row, rows_of
from hinomi.watch.baseline.sealed import Baseline, BaselineError, Manifest, read_baseline, write_baseline
from hinomi.watch.baseline.world import World
from hinomi.watch.signing import Signer, Trust

if TYPE_CHECKING:
    from hinomi.detect.catalogue import Catalogue

SAMPLE = 500


@dataclass(frozen=True, slots=True)
class Quick:
    """How a quick look goes: how many unchanged files are read all the same, chosen by lot from this seed."""

    sample: int = SAMPLE
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification gave. `packages` counts those installed, upgraded and removed since."""

    result: ScanResult
    changes: tuple[Change, ...]
    baseline: Baseline | None
    packages: Counter[str]
    pinned: bool  # whether the signer was given from outside this case


def create(
    case: Case,
    name: str,
    signer: Signer,
    *,
    kind: str | None = None,
    options: ScanOptions = DEFAULTS,
    to: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Baseline, Coverage]:
    """Measure a target, seal and keep it; its number follows the highest one that this case has seen."""
    with look_at(case, name, kind=kind, options=options) as looked:
        packages = looked.packages()
        entries = measured(looked, owners=bool(packages), progress=progress)
    memory = shelf.memory_of(case, name)
    sequence = memory.sequence + 1 if memory else 1
    manifest = Manifest(
        sequence=sequence,
        predecessor=memory.digest if memory else None,
        target=looked.name,
        host=looked.host,
        kind=looked.kind,
        made=case.clock().isoformat(),
        version=__version__,
        counts=counts_of(entries),
        selection=_selection(options),
        missed=dict(looked.coverage.missed),
    )
    path = to or shelf.path_for(case, name, sequence)
    write_baseline(path, manifest, entries, stamps_of(entries), packages, signer)
    baseline = read_baseline(path)
    shelf.remember(case, "baseline-created", name, baseline)
    return baseline, looked.coverage


def _selection(options: ScanOptions) -> dict[str, Any]:
    return {"include": list(options.include), "exclude": list(options.exclude), "same_fs": options.same_fs}


def _as_then(options: ScanOptions, manifest: Manifest) -> ScanOptions:
    """Look at what the baseline looked at, unless told otherwise."""
    if _selection(options) != _selection(DEFAULTS):
        return options
    chosen = manifest.selection
    return replace(
        options,
        include=tuple(chosen.get("include", ())),
        exclude=tuple(chosen.get("exclude", ())),
        same_fs=bool(chosen.get("same_fs")),
    )


def verify(
    case: Case,
    name: str,
    catalogue: Catalogue,
    *,
    trust: Trust | None = None,
    path: Path | None = None,
    expect: int | None = None,
    quick: Quick | None = None,
    cross_view: bool = True,
    kind: str | None = None,
    options: ScanOptions = DEFAULTS,
    progress: Progress | None = None,
) -> Verified:
    """Compare a target with its newest baseline (or the one at `path`) and judge what differs.

    A baseline that cannot be believed is a finding itself; nothing is compared with it.
    """
    path = path or shelf.latest(case, name)
    try:
        baseline = shelf.believed(case, name, path, trust, expect)
    except BaselineError as error:
        return _at_fault(case, name, path, error, catalogue)
    with look_at(case, name, kind=kind, options=_as_then(options, baseline.manifest)) as looked:
        packages = looked.packages()
        world = _world(looked, baseline, packages, quick, progress)
        explain(world)
        rows = list(rows_of(world, baseline.manifest.sequence))
        if cross_view:
            rows += _hidden(looked, world, baseline, raw=quick is None)
    result = _judged(case, looked.name, looked.kind, looked.host, rows, catalogue, looked.coverage)
    shelf.remember(
        case, "baseline-verified", name, baseline, run=result.run, quick=quick is not None, changes=len(rows),
        unexplained=sum(not row.explained for row in rows),
    )  # fmt: skip
    return Verified(result, tuple(rows), baseline, _moved(baseline.packages(), packages), trust is not None)


def _world(
    looked: BaselineTarget, baseline: Baseline, packages: dict[str, str], quick: Quick | None, progress: Progress | None
) -> World:
    """Measure the target and compare it."""
    old = baseline.entries()
    if quick is None:
        new, among = measured(looked, owners=False, progress=progress), None
    else:
        new, among = measured_quickly(looked, baseline, old, quick.sample, quick.seed)
    differences = compare(old, new, removed_among=among)
    include = tuple(baseline.manifest.selection.get("include", ()))
    if include:  # folders on the way to what was chosen are walked, and are not what was asked about
        chosen = Selection(include=include)
        differences = [d for d in differences if d.kind != "directory" or chosen.takes(d.path)]
    return World(old, differences, looked, baseline.packages(), packages)


def _hidden(looked: BaselineTarget, world: World, baseline: Baseline, *, raw: bool) -> list[Change]:
    gone = [path for path, difference in world.differences.items() if difference.what == "removed"]
    found = looked.hidden(gone, raw=raw)
    return [hidden_row(one.path, one.kind, one.how, baseline.manifest.sequence) for one in found]


def _at_fault(case: Case, name: str, path: Path, error: BaselineError, catalogue: Catalogue) -> Verified:
    coverage = Coverage()
    coverage.miss("baseline", str(path), error.code, error.cause)
    code = error.code.rpartition(".")[2]
    rows = [fault_row(str(path), code, error.cause, 0)]
    case.journal.append("baseline-refused", path=str(path), code=error.code, cause=error.cause)
    result = _judged(case, name, "root", "baseline", rows, catalogue, coverage)
    return Verified(result, tuple(rows), None, Counter(), pinned=False)


def _judged(
    case: Case, name: str, kind: str, host: str, rows: Sequence[Change], catalogue: Catalogue, coverage: Coverage
) -> ScanResult:
    """Keep the changes as evidence of a run, and ask the rules of it."""
    run = case.begin_run(target=name, kind=kind, host=host)
    try:
        for row in rows:
            run.add(row)
        run.seal()
        chosen = replace(catalogue, rules=catalogue.of_kind("baseline"))
        seen = case.clock().isoformat()
        if rows:
            findings, stories = judge_rows(case, run.id, name, chosen, (), coverage, seen=seen)
        else:
            findings, stories = (), ()
        run.finish(coverage)
    except BaseException:
        run.abandon()
        raise
    return ScanResult(name, run.id, findings, stories, coverage)


def _moved(before: dict[str, str], now: dict[str, str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    counts["installed"] = len(now.keys() - before.keys())
    counts["removed"] = len(before.keys() - now.keys())
    versions = ((before[name].partition(" ")[0], now[name].partition(" ")[0]) for name in before.keys() & now.keys())
    counts["upgraded"] = sum(old != new for old, new in versions)
    return counts


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an acceptance did: the paths taken over, and those that changed again since they were verified."""

    baseline: Baseline
    paths: tuple[str, ...]
    moved_on: tuple[str, ...]


def accept(
    case: Case,
    name: str,
    signer: Signer,
    because: str,
    *,
    patterns: Sequence[str] = (),
    explained_only: bool = False,
    trust: Trust | None = None,
    kind: str | None = None,
    to: Path | None = None,
) -> Accepted:
    """Take over what the last verification showed, and only that, into the next signed baseline.

    `patterns` (`*` stands for any text) choose paths. What is not now as it was verified is left as it was.
    """
    if not because.strip():
        raise UsageError("baseline.no-reason", place=name, cause="an acceptance without a reason")
    baseline = shelf.believed(case, name, shelf.latest(case, name), trust)
    shown = _last_changes(case, name, baseline)
    chosen = [row for row in shown if _is_chosen(row, patterns, explained_only)]
    if not chosen:
        raise UsageError("baseline.nothing-to-accept", place=name, cause="no such change was verified")
    wanted = {_raw(row): row for row in chosen}
    with look_at(case, name, kind=kind, options=_as_then(DEFAULTS, baseline.manifest)) as looked:
        old, packages = baseline.entries(), looked.packages()
        new = table_of_rows(looked.rows_again(sorted(wanted), owners=bool(packages)))
    same = [d for d in compare(old, new, removed_among=wanted) if _as_shown(d, wanted[d.path])]
    taken = {difference.path for difference in same}
    entries = replaced(old, new, taken)
    manifest = replace(
        baseline.manifest,
        sequence=baseline.manifest.sequence + 1,
        predecessor=baseline.digest,
        made=case.clock().isoformat(),
        version=__version__,
        counts=counts_of(entries),
        missed=dict(looked.coverage.missed),
        accepted={"because": because.strip(), "paths": len(taken), "of": len(shown)},
    )
    path = to or shelf.path_for(case, name, manifest.sequence)
    vouched = packages if not patterns else baseline.packages()
    write_baseline(path, manifest, entries, stamps_of(entries), vouched, signer)
    made = read_baseline(path)
    paths = tuple(sorted(wanted[path].path for path in taken))
    shelf.remember(
        case, "baseline-accepted", name, made, because=because.strip(), paths=list(paths[:1000]), count=len(paths)
    )
    return Accepted(made, paths, tuple(sorted(wanted[path].path for path in wanted.keys() - taken)))


def _last_changes(case: Case, name: str, baseline: Baseline) -> list[Change]:
    """Return the changes that the last verification against this very baseline showed."""
    run = shelf.last_run(case, name, baseline.digest)
    if run is None:
        raise UsageError("baseline.not-verified", place=name, cause="nothing was verified against the newest baseline")
    return changes_of_run(case, run)


def changes_of_run(case: Case, run: str) -> list[Change]:
    """Return the rows of the table `baseline_changes` of a run."""
    import pyarrow.parquet as pq

    rows = []
    for path in case.tables(run).get("baseline_changes", []):
        for values in pq.read_table(path).to_pylist():
            values.pop("row")
            rows.append(Change(**values))
    return rows


def _is_chosen(row: Change, patterns: Sequence[str], explained_only: bool) -> bool:
    if row.what not in ("added", "removed", "changed") or (explained_only and not row.explained):
        return False
    return not patterns or any(fnmatchcase(row.path, pattern) for pattern in patterns)


def _raw(row: Change) -> bytes:
    return row.path_raw if row.path_raw is not None else row.path.encode("utf-8")


def _as_shown(difference: Difference, row: Change) -> bool:
    """Whether an entry is now as the verification showed it."""
    new = difference.new
    if new is None or row.what == "removed":
        return new is None and row.what == "removed"
    digest = None if new["sha256"] is None else new["sha256"].hex()
    return bool(digest == row.sha256 and new["mode"] == row.mode and new["uid"] == row.uid)
