"""From what the sensor heard to kept rows and findings.

The order is what makes it safe to be ended at any moment: rows are written ahead, findings are kept, then they are
told, and only then the last known state moves on. What was cut off in between is found again by comparing.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import islice

from hinomi.evidence.names import names_of
from hinomi.flow.watching.again import Again
from hinomi.flow.watching.asking import Rules
from hinomi.flow.watching.comparing import change_row, content_only, facts_of
from hinomi.flow.watching.context import SEARCH_COLLECTORS, SNAPSHOT_COLLECTORS, Context, ProcessRows
from hinomi.flow.watching.explaining import Explainer, with_reasons
from hinomi.flow.watching.hearing import PACKAGE
from hinomi.flow.watching.history import StartHistory
from hinomi.flow.watching.lately import Lately
from hinomi.flow.watching.looking import Looker
from hinomi.flow.watching.packages import PackageWork
from hinomi.flow.watching.reconciling import differing_paths
from hinomi.flow.watching.recording import Recording
from hinomi.flow.watching.settled import MAX_WAIT, Due, Settled
from hinomi.flow.watching.telling import Teller
from hinomi.flow.watching.tree import with_tree
from hinomi.model.findings import Coverage, Finding
from hinomi.model.tables import Row, table_of
from hinomi.model.tables.changes import FileChange
from hinomi.model.tables.files import File
from hinomi.model.tables.processes import Process
from hinomi.model.text import path_text
from hinomi.store.case import Case
from hinomi.watch.known import Facts, Known
from hinomi.watch.live.events import CONTENT, CREATED, FOLDER, MOVED, REMOVED
from hinomi.watch.live.mounts import is_below
from hinomi.watch.live.pending import Change
from hinomi.watch.live.processes import Identity
from hinomi.watch.live.syscalls import give_back

MAX_AT_ONCE = 1_000  # paths
BESIDE = 50  # paths, where other changes wait meanwhile
MAX_JUDGED = 2_000  # rows about which rules are asked at once
REST_SECONDS = 5.0  # without anything to judge, after which memory is given back and no worker waits for more
RENEW = 10_000  # changes after which workers are renewed
SEARCH_REST = 1_000  # times what a search for hidden processes cost, until the next: a thousandth of one core
MAX_QUIET = 8192  # kinds of program starts about which the rules had nothing to say


class Judge:
    """Judges batch after batch into one recording at a time."""

    def __init__(
        self,
        case: Case,
        known: Known,
        looker: Looker,
        rules: Rules,
        teller: Teller,
        own: bytes,
        *,
        hears_all: bool = False,
    ) -> None:
        """`hears_all`: whatever is made in a new folder is heard of, so that only those moved here need a look."""
        self._case = case
        self._known = known
        self._looker = looker
        self._rules = rules
        self._teller = teller
        self._own = own
        self._unheard_folders = MOVED if hears_all else FOLDER
        self._context = Context(looker)
        self._processes = ProcessRows(looker)
        self._users = names_of(looker.view).users
        self._work = PackageWork()
        self._explainer = Explainer(looker, known)
        self._held: dict[bytes, Change] = {}
        self._again = Again()
        self._due = Due()
        self._quiet: OrderedDict[bytes, None] = OrderedDict()
        self._history = StartHistory()
        self._lately = Lately()
        self.away: set[bytes] = set()  # mount points whose file system is not there now
        self.counters: Counter[str] = Counter()
        self._trimmed = 0  # changes at which memory was given back
        self._next_search = 0.0  # monotonic
        self._busy_at: float | None = None  # monotonic time of the last batch; None once rested
        self.recording: Recording | None = None

    def begin(self, recording: Recording, coverage: Coverage) -> None:
        """Write into a new recording from here on."""
        self.recording = recording
        if not self._context.host():
            self._context.refresh_host(coverage)
            self._work.stale = self._work.open = self._explainer.begin()

    # --- files ----------------------------------------------------------------------------------------------------

    def settle(self, changes: Sequence[Change], found_by: str = "event", *, more: bool = False) -> int:
        """Look at what changed, keep it, judge it, tell it; return how many changes there were.

        Where `more` waits, rules may be asked later about several batches at once; `conclude` asks them now.
        """
        self._busy_at = time.monotonic()
        wanted = [c for c in changes if not self._is_away(c.path) and not self._looker.leaves_out(c.path)]
        self._work.saw(c.path for c in wanted)
        holds = self._work.busy or (self._work.stale and found_by == "event")  # `come_round` lets go of it
        return self._settle(self._hold(wanted) if holds else wanted, found_by, more=more)

    def _settle(self, changes: Sequence[Change], found_by: str, *, more: bool = False) -> int:
        number = 0
        waiting: deque[Iterator[Change]] = deque([iter(changes)])
        while waiting:
            chunk = list(islice(waiting[0], MAX_AT_ONCE))
            if not chunk:
                waiting.popleft()
                continue
            if any(self._unsettles(change) for change in chunk):
                self.conclude()
            settled = self._settled(chunk, found_by)
            self._keep(settled)
            number += len(settled.changes)
            waiting += [self._inside(folder) for folder in settled.folders]
            waiting += [self._left_of(folder) for folder in settled.emptied]
        if not more or self._due.is_late:
            self.conclude()
        return number

    def _unsettles(self, change: Change) -> bool:
        """Whether a change builds on one that has not been concluded yet."""
        return change.path in self._due.paths or bool(change.what & FOLDER and change.what & (MOVED | REMOVED))

    def _hold(self, changes: Sequence[Change]) -> list[Change]:
        """Keep back what a package manager at work may have written; return the rest."""
        rest = []
        for change in changes:
            if not self._work.concerns(change.path) or is_below(change.path, self._own):
                rest.append(change)
            elif (held := self._held.get(change.path)) is None:
                self._held[change.path] = change
            else:
                held.join(change)
        return rest

    def reconcile(self, top: bytes, coverage: Coverage, now: float) -> int:
        """Compare everything at and below `top` with the last known state; return how many changes that showed."""
        return sum(self.reconciling(top, coverage, now, MAX_AT_ONCE))

    def reconciling(self, top: bytes, coverage: Coverage, now: float, at_once: int = BESIDE) -> Iterator[int]:
        """As `reconcile`, step by step: between two steps whatever else changes is judged."""
        self.conclude()
        for paths in differing_paths(self._looker, self._known, top, coverage, at_once=at_once):
            yield self.settle([Change(path, 0, now, now) for path in paths], "reconcile")

    def _inside(self, folder: Change) -> Iterator[Change]:
        """Yield changes for what stands in a new folder and is not known."""
        self.conclude()
        for paths in differing_paths(self._looker, self._known, folder.path, Coverage()):
            for path in paths:
                if path != folder.path:
                    yield replace(folder, path=path, what=CREATED)

    def _left_of(self, folder: Change) -> Iterator[Change]:
        """Yield changes for what was known in a folder that is gone, the folder itself last."""
        self.conclude()
        for path, _ in self._known.below(folder.path):
            yield replace(folder, path=path)
        self.conclude()
        yield folder

    def _settled(self, changes: Sequence[Change], found_by: str) -> Settled:
        by_path = {change.path: change for change in changes}
        before = {path: self._known.get(path) for path in by_path}

        def wanted(path: bytes, entry: object) -> bool:
            old = before[path]
            return old is None or not old.same(facts_of(entry, None)) or path in self._again  # type: ignore[arg-type]

        seen = self._looker.look(by_path, wanted)
        assert self.recording is not None  # `begin` comes first
        self.recording.coverage.merge(seen.coverage)
        settled = Settled()
        for path, change in by_path.items():
            entry, old, rows = seen.entries.get(path), before[path], seen.rows.get(path, [])
            if path in seen.unread:
                self._again.failed(change)
            elif is_below(path, self._own) or (old is None and is_below(path, PACKAGE)):
                self._ours(settled, change, entry is not None, rows)
            elif entry is None:
                self._gone(settled, change, old, found_by)
            elif rows:
                self._there(settled, change, old, entry, rows, found_by)
            else:
                self.counters["seen-before"] += 1
        return settled

    def _ours(self, settled: Settled, change: Change, there: bool, rows: list[Row]) -> None:
        """Somebody else touched the case: of its files no state is kept, so the event says what happened."""
        row = rows[0] if rows else None
        made = change.what & (CREATED | MOVED)
        what = "came-and-went" if made and not there else "added" if made else "changed" if there else "removed"
        told = self._row(change, None, None, row if isinstance(row, File) else None, "event")
        settled.add(replace(told, what=what), change.path, None, None)
        settled.paths.add(change.path)

    def _gone(self, settled: Settled, change: Change, old: Facts | None, found_by: str) -> None:
        self._again.settled(change.path)
        if old is None:
            if change.what & (CREATED | CONTENT | MOVED):
                settled.add(self._row(change, None, None, None, found_by), change.path, None, None)
            return
        if old.kind == "directory" and self._known.holds(change.path):
            settled.emptied.append(change)
            return
        settled.paths.add(change.path)
        settled.add(self._row(change, old, None, None, found_by), change.path, old, None)
        settled.gone.append(change.path)
        self._context.forget(change.path)

    def _there(
        self, settled: Settled, change: Change, old: Facts | None, entry: object, rows: list[Row], found_by: str
    ) -> None:
        row = rows[0]
        assert isinstance(row, File)  # the pipeline's first row of an entry
        new = facts_of(entry, row)  # type: ignore[arg-type]
        if self._looker.has_missed(new):
            self._again.failed(change)
            if old is not None and old.same(new):
                return
        else:
            self._again.settled(change.path)
        settled.paths.add(change.path)
        settled.add(self._row(change, old, new, row, found_by), change.path, old, new)
        settled.rows += rows
        if old is None and new.kind == "directory" and found_by == "event" and change.what & self._unheard_folders:
            settled.folders.append(change)
        if not content_only(old, new, len(rows)):
            settled.telling += rows
            self._context.remember(change.path, rows)

    def _row(self, change: Change, old: Facts | None, new: Facts | None, row: File | None, found_by: str) -> FileChange:
        own = is_below(change.path, self._own) or is_below(change.path, PACKAGE)
        return change_row(
            change.path, old, new, row=row, change=change, users=self._users, found_by=found_by, own=own
        )  # fmt: skip

    def _keep(self, settled: Settled) -> None:
        """Write down what was seen; it is judged, told and known once it is concluded."""
        if not settled.changes:
            return
        assert self.recording is not None
        self._explain(settled)
        telling = {path_text(p) for p, _ in settled.states} & {r.path for r in settled.telling if isinstance(r, File)}
        changes = settled.changes
        judged: list[Row] = [*settled.telling]
        judged += [c for c in changes if c.path in telling or c.own or c.what in ("removed", "came-and-went")]
        if self._context.concerns_host(settled.paths):
            judged += self._context.refresh_host(self.recording.coverage)
        again = {id(row) for row in judged}
        self.recording.append([row for row in (*changes, *settled.rows) if id(row) not in again])
        self.recording.append(judged, remember=True)
        self._due.take(settled, judged)
        if len(self._due.judged) >= MAX_JUDGED:
            self.conclude()

    def conclude(self) -> None:
        """Ask the rules about what was kept and not judged yet, tell it, and move the last known state on."""
        due = self._due
        if not due.settled:
            return
        self._judge(due.judged, {path_text(path) for path in due.paths})
        while due.settled:
            settled = due.settled[0]
            for change in settled.changes:
                self._teller.change(change)
            self._known.apply(settled.states, settled.gone)
            self.counters["changes"] += len(settled.changes)
            due.settled.pop(0)
        self._due = Due()
        if self.recording is not None:
            self.recording.forget_all_but((*self._context.host(), *self._context.recent(), *self._processes.kept()))

    def _explain(self, settled: Settled) -> None:
        """Give the changes their reasons, and the states what is to be remembered of that."""
        pairs = settled.pairs
        told = {p: s for (p, s), c in zip(pairs, settled.changes, strict=True) if not c.own}
        reasons = self._explainer.explain(told, self._due.states)
        found = [None if change.own else reasons.get(p) for (p, _), change in zip(pairs, settled.changes, strict=True)]
        settled.changes = with_reasons(settled.changes, found)
        self.counters["unexplained"] += sum(reason is None for reason in found)
        settled.states = [
            (path, new._replace(unexplained=int(reason is None)))
            for (path, (_, new)), reason in zip(pairs, found, strict=True) if new is not None
        ]  # fmt: skip

    # --- programs -------------------------------------------------------------------------------------------------

    def started(self, starts: Sequence[Identity]) -> int:
        """Keep the programs started, and judge those of a kind not seen before.

        Returns how many there is no row of: they ended before anything could be learnt, even from their parents.
        """
        assert self.recording is not None
        self._busy_at = time.monotonic()
        rows = [(s, row) for s in starts if (row := self._processes.row(s)) is not None]
        self.counters["starts"] += len(rows)
        self.counters["starts-unknown"] += len(starts) - len(rows)
        telling = {id(row): (s, row) for s, row in rows if (_kind(s, row)) not in self._quiet}
        self._context.named([row for _, row in telling.values()], self.recording.coverage)
        back = [one for s, row in rows for one in self._history.saw(s, row, self._context.file_of(row))]
        self.recording.append([row for _, row in rows if id(row) not in telling])
        self.recording.append([row for _, row in telling.values()], remember=True)
        if telling:
            self._judge_starts(list(telling.values()))
        self._judge(back, set())
        for _, row in rows:
            self._teller.start(row)
        return len(starts) - len(rows)

    def ended(self, ends: Sequence[tuple[int, float, float]]) -> None:
        """Learn which programs have ended (`ProcessTable.ends`)."""
        for pid, started, at in ends:
            self._history.ended(pid, started, at)

    def _judge_starts(self, telling: Sequence[tuple[Identity, Process]]) -> None:
        line = {pid for start, _ in telling for pid, _ in start.ancestors}
        ancestors = [row for pid in sorted(line) if (row := self._processes.living(pid)) is not None]
        found = self._judge([row for _, row in telling], {str(s.pid) for s, _ in telling}, ancestors)
        subjects = {word for finding in found for word in (finding.subject_key, *finding.related)}
        for start, row in telling:
            if str(start.pid) not in subjects and start.exe not in subjects:
                self._quiet[_kind(start, row)] = None
        while len(self._quiet) > MAX_QUIET:
            self._quiet.popitem(last=False)

    def snapshot(self) -> None:
        """Look at all processes at once: what hides, what listens, what was put into one, what became odd as it ran."""
        assert self.recording is not None
        fresh = self._context.refresh_host(self.recording.coverage, SNAPSHOT_COLLECTORS)
        self._judge(fresh + self._search(self.recording.coverage), set())

    def _search(self, coverage: Coverage) -> list[Row]:
        """Search for hidden processes where it is time again; how dear that is depends on the kernel's `pid_max`."""
        if time.monotonic() < self._next_search:
            return []
        began = time.process_time()
        fresh = self._context.refresh_host(coverage, SEARCH_COLLECTORS)
        self._next_search = time.monotonic() + SEARCH_REST * (time.process_time() - began)
        return fresh

    # --- rules ----------------------------------------------------------------------------------------------------

    def _judge(self, rows: Sequence[Row], subjects: set[str], more: Sequence[Row] = ()) -> list[Finding]:
        """Ask the rules of new rows together with what is known; keep and tell what they find."""
        if not rows:
            return []
        assert self.recording is not None
        context, coverage = self._context, self.recording.coverage
        context.named(rows, coverage)
        everything = list({id(r): r for r in (*rows, *more, *context.host(), *context.recent())}.values())
        numbers = self.recording.append(everything, remember=True)
        seen = self._case.clock().isoformat()
        changed = {table_of(type(row)).name for row in rows}
        numbered, run = list(zip(everything, numbers, strict=True)), self.recording.run.id
        found = self._rules.ask(numbered, changed, run=run, seen=seen, coverage=coverage)
        found = [with_tree(finding, everything) for finding in found]
        kept = self._case.findings.keep(found, run, seen)
        for finding in kept:
            self._tell(finding, subjects, seen)
        return kept

    def _tell(self, finding: Finding, subjects: set[str], seen: str) -> None:
        new = finding.first_seen == seen
        again = finding.subject_key in subjects or not subjects.isdisjoint(finding.related)
        if not (new or again):
            return
        if self._lately.repeats(finding) and not new:
            self.counters["findings-repeated"] += 1
            return
        self.counters["findings"] += 1
        self._teller.finding(finding, new=new)

    # --- what comes round -----------------------------------------------------------------------------------------

    @property
    def wait(self) -> float | None:
        """Return the seconds after which something that is held back may be judged; None where nothing is."""
        waits = (self._work.wait, self._again.wait, MAX_WAIT if self._due.settled else None)
        return min((wait for wait in waits if wait is not None), default=None)

    def come_round(self) -> None:
        """Judge what was held back, once the package databases are at rest."""
        if self._due.is_late:
            self.conclude()
        if due := self._again.due():
            self._settle(due, "event")
        if self.counters["changes"] > self._trimmed + MAX_AT_ONCE:
            self._give_back()
        if self._busy_at is not None and time.monotonic() > self._busy_at + REST_SECONDS:
            self._busy_at = None
            self._looker.close()
            give_back()
        if self._work.stale and not self._work.busy:
            self.refresh(packages=True)
            self._explainer.refresh()
            self._work.rest()
            held, self._held = list(self._held.values()), {}
            self._settle(held, "event")
            self._work.judged()
        if self._work.is_over:
            self._work.open = False
            self._explainer.settle()

    def _give_back(self) -> None:
        """Give memory back; workers that have read much give way to fresh ones when something is to be read again."""
        if self.counters["changes"] // RENEW != self._trimmed // RENEW:
            self._looker.close()
        self._trimmed = self.counters["changes"]
        give_back()

    def refresh(self, *, packages: bool) -> None:
        """See mounts, accounts and, where they changed, packages as they are now."""
        self._looker.refresh(packages=packages)
        self._processes.refresh()
        self._users = names_of(self._looker.view).users

    def renewed(self) -> None:
        """Judge by other rules from here on: nothing has been asked of them yet."""
        self._quiet.clear()

    def clock_stepped(self) -> None:
        """See when processes were started by the clock as it is set now."""
        self._processes.refresh()

    def _is_away(self, path: bytes) -> bool:
        return any(is_below(path, point) for point in self.away)


def _kind(start: Identity, row: Process) -> bytes:
    """Return what kind of start this is: the same kind under the same parent says nothing new."""
    parent = start.ancestors[0][1] if start.ancestors else ""
    odd = (row.exe_deleted, row.exe_memfd, row.preload, row.tracer_pid > 0, row.executable_anonymous > 0)
    streams = tuple((stream or "").partition(":")[0] for stream in (row.stdin, row.stdout, row.stderr))
    kind = (row.exe, tuple(row.cmdline), parent, row.uid, row.euid, row.login_uid is None, row.container, odd, streams)
    return blake2b(repr(kind).encode("ascii", "backslashreplace"), digest_size=16).digest()
