"""Processes that some ways of asking show and others hide.

A number alone proves nothing: processes come and go while one looks, and threads answer to calls too. So a suspect is
held on to (see `Pin`), everything is listed twice more, and only what was alive before *and* after those listings, and
is missing from both, is hidden. However busy the host, an ordinary process cannot get there.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from hinomi.evidence.process import procfs
from hinomi.evidence.process.views import Pin, ProcessViews
from hinomi.model.findings import Coverage
from hinomi.model.tables.processes import HiddenProcess
from hinomi.model.text import path_text

BATCH = 200  # processes held on to at a time
MAX_SUSPECTS = 20_000
_Look = Callable[[ProcessViews, set[int]], set[int]]  # which of these live processes it does not show


def hidden_processes(views: ProcessViews, coverage: Coverage) -> Iterator[HiddenProcess]:
    """Yield what is hidden, by process id; what could not be asked is a miss in `coverage`."""
    if not views.same_namespace():
        coverage.miss("hidden_processes", path_text(views.proc), "unreadable", "shows another pid namespace")
        return
    if 1 not in views.listing():
        coverage.miss("hidden_processes", path_text(views.proc), "permission", "only some processes are shown")
        return
    reasons: dict[int, set[str]] = defaultdict(set)
    grouped = views.in_cgroups()
    for pid in _unlisted(views, grouped, coverage):
        reasons[pid].add("listing")
    for pid in _confirmed(views, views.listing() - views.library_listing(), _missing_from_library):
        reasons[pid].add("library")
    for pid in _confirmed(views, _without_folder(views), _missing_folder):
        reasons[pid].add("folder")
    covered = {mount.pid: mount.what for mount in views.mounts()}
    for pid in covered:
        reasons[pid].add("mount")
    for pid in sorted(reasons):
        yield _row(views, pid, sorted(reasons[pid]), pid in grouped, covered.get(pid))


def _unlisted(views: ProcessViews, grouped: set[int], coverage: Coverage) -> Iterator[int]:
    before = views.listing()
    answering = set(views.answering()) | grouped
    coverage.count("process-ids", views.pid_max())
    suspects = sorted(answering - before - views.listing())
    if len(suspects) > MAX_SUSPECTS:
        coverage.miss("hidden_processes", "suspects", "budget", f"{len(suspects) - MAX_SUSPECTS} were not asked again")
    candidates = [pid for pid in suspects[:MAX_SUSPECTS] if views.leader(pid) in (None, pid)]  # threads are not listed
    yield from _confirmed(views, candidates, _missing_from_listing)


def _confirmed(views: ProcessViews, suspects: Iterable[int], missing: _Look) -> Iterator[int]:
    """Yield the suspects that live through two more looks and are missing from both."""
    ordered = sorted(suspects)
    for at in range(0, len(ordered), BATCH):
        pins = [pin for pid in ordered[at : at + BATCH] if (pin := Pin.open(views, pid)) is not None]
        try:
            alive = [pin for pin in pins if pin.alive()]
            pids = {pin.pid for pin in alive}
            absent = missing(views, pids) & missing(views, pids) if pids else set()
            yield from (pin.pid for pin in alive if pin.pid in absent and pin.alive())
        finally:
            for pin in pins:
                pin.close()


def _missing_from_listing(views: ProcessViews, pids: set[int]) -> set[int]:
    return pids - views.listing()


def _missing_from_library(views: ProcessViews, pids: set[int]) -> set[int]:
    return (pids & views.listing()) - views.library_listing()


def _missing_folder(views: ProcessViews, pids: set[int]) -> set[int]:
    return {pid for pid in pids if views.stat(pid) is None}


def _without_folder(views: ProcessViews) -> set[int]:
    return {pid for pid in views.listing() if views.stat(pid) is None}


def _row(views: ProcessViews, pid: int, hidden_from: list[str], grouped: bool, covered: str | None) -> HiddenProcess:
    seen = views.seen_by(pid)
    if grouped:
        seen.append("cgroup")
    if covered is not None:
        seen.append("mountinfo")
    stat = views.stat(pid)
    return HiddenProcess(
        pid=pid, hidden_from=hidden_from, seen_by=seen, name=None if stat is None else path_text(stat.name),
        exe=_exe(views.proc, pid), started=None if stat is None else _started(views.proc, stat), covered_by=covered,
    )  # fmt: skip


def _exe(proc: bytes, pid: int) -> str | None:
    try:
        return path_text(os.readlink(proc + b"/%d/exe" % pid))
    except OSError:
        return None


def _started(proc: bytes, stat: procfs.Stat) -> float:
    boot = procfs.boot_time(procfs.read(proc + b"/stat", 1 << 20))
    return boot + stat.start / os.sysconf("SC_CLK_TCK")
