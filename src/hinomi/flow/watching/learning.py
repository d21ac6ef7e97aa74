"""The first look: an ordinary scan of what is to be watched, whose entries become the last known state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hinomi.detect.catalogue import Catalogue
from hinomi.detect.indicator import Indicator
from hinomi.detect.yara import content_collector
from hinomi.evidence.collect import collect
from hinomi.evidence.folders import Folder
from hinomi.evidence.sources.root import RootView
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.flow.scanning import CACHE, judge_rows
from hinomi.flow.watching.comparing import facts_of
from hinomi.flow.watching.partview import PartView
from hinomi.model.findings import Coverage, Finding
from hinomi.model.tables import Row
from hinomi.model.tables.files import File
from hinomi.model.text import path_bytes
from hinomi.store.case import Case
from hinomi.watch.known import Facts, Known

APPLY_EVERY = 5_000


class ScopesView(PartView):
    """Some folders of a root view, walked one after the other."""

    def __init__(self, view: RootView, scopes: Sequence[bytes]) -> None:
        super().__init__(view)
        self._scopes = scopes
        self.entries: dict[bytes, Entry] = {}  # walked, and not yet taken

    def folders(self, coverage: Coverage) -> Iterator[Folder]:
        """Yield each scope's own entry, then the folders below it."""
        for scope in self._scopes:
            top = self._view.entry(scope)
            if top is None:
                coverage.miss("walk", scope.decode("utf-8", "backslashreplace"), "missing")
                continue
            folder = self._view.folder_at(scope.rpartition(b"/")[0] or b"/")
            folder.entries = [top]
            self.entries[scope] = top
            yield folder
            if top.kind == "directory":
                yield from self._below(scope, coverage)

    def _below(self, scope: bytes, coverage: Coverage) -> Iterator[Folder]:
        for folder in self._view.folders_below(scope, coverage):
            self.entries.update((entry.path, entry) for entry in folder.entries)
            yield folder


class _States:
    """Moves the last known state on in large steps."""

    def __init__(self, known: Known, view: ScopesView) -> None:
        self._known = known
        self._view = view
        self._waiting: list[tuple[bytes, Facts]] = []

    def take(self, row: Row) -> None:
        if isinstance(row, File):
            path = row.path_raw if row.path_raw is not None else path_bytes(row.path)
            self._waiting.append((path, facts_of(self._view.entries.pop(path), row)))
            if len(self._waiting) >= APPLY_EVERY:
                self.flush()

    def flush(self) -> None:
        self._known.apply(self._waiting, ())
        self._waiting.clear()


def learn(
    case: Case,
    known: Known,
    target: Target,
    scopes: Sequence[bytes],
    catalogue: Catalogue,
    indicators: Sequence[Indicator],
    *,
    jobs: int | None = None,
    nice: bool = False,
) -> tuple[int, list[Finding], Coverage]:
    """Examine `scopes` of the live host as a scan does; return entries learnt, findings and coverage.

    `jobs` processes read, as for a scan.
    """
    assert isinstance(target.view, RootView)  # the live host
    view = ScopesView(target.view, scopes)
    coverage, states = Coverage(), _States(known, view)
    run = case.begin_run(target=target.name, kind=target.kind, host=target.host)

    def sink(row: Row) -> None:
        run.add(row)
        states.take(row)

    try:
        collect(
            replace(target, view=view), sink, coverage, watchers=[content_collector(catalogue)], jobs=jobs, nice=nice,
            cache=case.path / CACHE,
        )  # fmt: skip
        run.seal()
    except BaseException:
        run.abandon()
        raise
    states.flush()
    seen = case.clock().isoformat()
    findings, _ = judge_rows(case, run.id, target.name, catalogue, indicators, coverage, seen=seen)
    run.finish(coverage)
    return len(known), [f for f in findings if f.first_seen == seen], coverage
