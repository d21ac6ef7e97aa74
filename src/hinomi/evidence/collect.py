"""From a target to rows: first what is asked of the host as a whole, then one walk that reads every file once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hinomi.evidence.collector import Collector, ContentCollector, HostCollector, load_collectors
from hinomi.evidence.examiner import miss_crash
from hinomi.evidence.pipeline import KeptWorkers, Pipeline, Progress
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row


def collect(
    target: Target,
    sink: Callable[[Row], None],
    coverage: Coverage,
    *,
    watchers: Sequence[ContentCollector] = (),
    collectors: Sequence[Collector] | None = None,
    progress: Progress | None = None,
    jobs: int | None = None,
    nice: bool = False,
    cache: Path | None = None,
    files: bool = True,
    workers: KeptWorkers | None = None,
) -> None:
    """Examine `target` and give every row to `sink`, from the calling thread and in an order that repeats.

    `collectors` are all that the package has unless given; `watchers` join them on the files' content. `progress` is
    called with (files done, bytes read, printable path) now and then. `jobs` processes read the files (by
    default one a core, at most eight; 1 reads in this process), at the lowest priority with `nice`. `cache` is a
    folder where answers for files that do not change are kept between scans; without `files` none is
    read. `workers` are kept for the next look (`KeptWorkers`). What could not be examined is in `coverage`;
    nothing is raised but what `sink`, `progress` or an interrupt raise.
    """
    chosen = load_collectors() if collectors is None else tuple(collectors)
    load = getattr(target.ownership, "load", None)
    if load is not None:
        load(coverage)
    for collector in chosen:
        if isinstance(collector, HostCollector):
            _run_host(collector, target, sink, coverage)
    if not files:
        coverage.skip("files-not-asked-for")
        return
    content = [c for c in (*chosen, *watchers) if isinstance(c, ContentCollector)]
    Pipeline(
        target, sink, coverage, content, progress=progress, jobs=jobs, nice=nice, cache=cache, workers=workers
    ).run()


def _run_host(collector: HostCollector, target: Target, sink: Callable[[Row], None], coverage: Coverage) -> None:
    """Run one host collector: a crash costs its own remaining rows only, an error of the sink is not its crash."""
    rows = _guarded(collector, target, coverage)
    for row in rows:
        sink(row)


def _guarded(collector: HostCollector, target: Target, coverage: Coverage) -> Iterator[Row]:
    try:
        rows = iter(collector.collect(target, coverage))
    except Exception as error:  # noqa: BLE001 - the border of one collector
        miss_crash(coverage, collector.name, target.name, error)
        return
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - the border of one collector
            miss_crash(coverage, collector.name, target.name, error)
            return
        yield row
