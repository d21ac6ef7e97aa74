"""The watcher from start to stop: first look or what happened meanwhile, then batch after batch."""

from __future__ import annotations

import errno
import gc
import os
import resource
import select
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from hinomi.detect.catalogue import Catalogue
from hinomi.detect.yara import content_collector
from hinomi.evidence.collector import ContentCollector
from hinomi.evidence.options import Selection
from hinomi.evidence.priority import be_nice
from hinomi.flow.watching.apart import ApartError, apart
from hinomi.flow.watching.asking import Rules
from hinomi.flow.watching.judging import Judge
from hinomi.flow.watching.listening import SensorProcess
from hinomi.flow.watching.lock import WatchLock, watch_folder
from hinomi.flow.watching.looking import Looker
from hinomi.flow.watching.moments import iso, seconds_of
from hinomi.flow.watching.mounting import ComingsAndGoings
from hinomi.flow.watching.needing import KeptNeeds
from hinomi.flow.watching.options import WatchOptions, scopes_of
from hinomi.flow.watching.recording import Recording, recover
from hinomi.flow.watching.reloading import Reader, Requested, reread
from hinomi.flow.watching.status import StatusFile
from hinomi.flow.watching.telling import Teller
from hinomi.model.findings import Coverage
from hinomi.store.case import Case, Place, folder_of
from hinomi.watch.alerts.dispatch import Dispatcher
from hinomi.watch.known import Known
from hinomi.watch.live.mounts import is_below
from hinomi.watch.live.sensor import Batch, Lost
from hinomi.watch.live.syscalls import give_back

STOPPERS = {signal.SIGTERM, signal.SIGINT}
SIGNALS = STOPPERS | {signal.SIGHUP}  # SIGHUP: read rules and configuration anew
OF_PROCESSES = ("process-events-lost", "too-many-starts", "unknown-starts")
"""Gaps about programs, which /proc may still tell of; no file needs to be looked at."""
MIGRATION_SECONDS = 3600.0
LEARN_SECONDS = 7 * 86_400.0
PULSE = 1.0
ALIVE_EVERY = 5.0
RETRY_SECONDS = 5.0
BURST = 10.0
"""Seconds over which judging's share of a core is averaged: a few changes are judged without a rest."""
MAX_REST = 2.0
"""Seconds between two batches at most, however little of a core judging may take."""


class StopRequest(Exception):  # noqa: N818 - asked for, no error
    """Somebody asked the watcher to end: by which signal, and who."""

    def __init__(self, name: str, pid: int = 0, uid: int = 0) -> None:
        super().__init__(name)
        self.name, self.pid, self.uid = name, pid, uid


def watch(
    place: Place,
    options: WatchOptions,
    teller: Teller,
    *,
    rule_folders: Sequence[Path] = (),
    seconds: float | None = None,
    alerts: Dispatcher | None = None,
    configuration: Callable[[], WatchOptions] | None = None,
) -> None:
    """Watch until a signal, or for `seconds`. At a SIGHUP, rules and what `configuration` returns are read anew.

    Raises `CaseError` where another watcher has the case, `PermissionDeniedError` for a backend that cannot be had.
    """
    scopes = scopes_of(options.on)
    folder = folder_of(place)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        lock = WatchLock(folder, datetime.now(UTC).isoformat())
        try:
            _settle_memory()
            sensor = SensorProcess(options, scopes, os.fsencode(os.path.realpath(folder)))
            try:
                _bring_up_to_date(place)
                with Case.open(place) as case:
                    reader = Reader(case, rule_folders, configuration or (lambda: options))
                    _Watcher(case, place, options, teller, sensor, scopes, reader, seconds, alerts).run()
            finally:
                sensor.end()
        finally:
            lock.release()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _bring_up_to_date(place: Place) -> None:
    """Migrate the case's state in a process of its own, whose memory is given back; errors are those of opening it."""
    with suppress(ApartError, OSError):
        apart(lambda: Case.open(place).close(), MIGRATION_SECONDS)


def _settle_memory() -> None:
    """Keep what is loaded so far out of garbage collections, which would write to every page that forks share."""
    gc.collect()
    gc.freeze()
    give_back()


class _Watcher:
    """One run of the watcher over an open case."""

    def __init__(
        self,
        case: Case,
        place: Place,
        options: WatchOptions,
        teller: Teller,
        sensor: SensorProcess,
        scopes: list[bytes],
        reader: Reader,
        seconds: float | None,
        alerts: Dispatcher | None,
    ) -> None:
        self._case = case
        self._place = place
        self._options = options
        self._teller = teller
        self._sensor = sensor
        self._scopes = scopes
        self._reader = reader
        self._reload: Requested | None = None
        self._alerts = alerts
        self._until = None if seconds is None else time.monotonic() + seconds
        self._folder = watch_folder(case.path)
        self._status = StatusFile(case.path)
        self._before = self._status.read()
        self._known = Known(self._folder / "known.db")
        self._catalogue, self._indicators = reader.rules()
        own = os.fsencode(os.path.realpath(case.path))
        self._looker = Looker(
            _watchers(self._catalogue), selection=_selection(options), own=own, jobs=options.jobs, nice=options.nice
        )
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        _settle_memory()
        kept = KeptNeeds(self._folder, self._catalogue.of_kind("sql"))
        self._rules = Rules(self._catalogue, self._indicators, temporary, kept)
        self._judge = Judge(
            case, self._known, self._looker, self._rules, teller, own, hears_all=sensor.hearing.backend == "fanotify"
        )
        self._comings = ComingsAndGoings(case.gaps, self._judge, teller, scopes, self._looker.target.host)
        self._marks: list[dict[str, Any]] = []
        self._heard: dict[str, int] = {}
        self._waiting = 0
        self._full_since: str | None = None
        self._credit, self._credited = 0.0, 0.0
        self._alive = 0.0
        self._since = datetime.now(UTC).isoformat()
        self._next_poll = time.monotonic() + options.poll_seconds
        self._next_snapshot = time.monotonic() + options.snapshot_seconds
        self._state = "starting"

    # --- start and stop -------------------------------------------------------------------------------------------

    def run(self) -> None:
        hearing = self._sensor.hearing
        self._case.journal.append(
            "watch-started", scopes=[os.fsdecode(s) for s in self._scopes], backend=hearing.backend,
            processes=hearing.processes, refused=list(hearing.refused), pid=os.getpid(), rules=len(self._catalogue),
        )  # fmt: skip
        if self._options.nice:
            be_nice()
        stopped = StopRequest("error")
        try:
            for run, rows in recover(self._case, self._folder):
                self._teller.note("watch.recovered", run=run, rows=rows)
            self._begin_recording()
            self._catch_up()
            _settle_memory()
            self._state = "watching"
            self._teller.note("watch.watching", backend=hearing.backend, scopes=len(self._scopes))
            self._loop()
        except StopRequest as reason:
            stopped = reason
        finally:
            self._end(stopped)

    def _end(self, stopped: StopRequest) -> None:
        """Write down what there is and who ended it; a disk that is full must not hide the reason."""
        with suppress(OSError, sqlite3.Error, DBAPIError):
            self._judge.conclude()
        self._looker.close()
        self._rules.end()
        with suppress(OSError, DBAPIError):
            if self._judge.recording is not None:
                self._judge.recording.finish()
            self._case.journal.append(
                "watch-stopped", signal=stopped.name, by_pid=stopped.pid, by_uid=stopped.uid, pid=os.getpid(),
                counters=dict(self._judge.counters),
            )  # fmt: skip
        self._state = "stopped"
        self._say_alive()
        self._status.close()
        self._known.close()

    def _begin_recording(self) -> None:
        target = self._looker.target
        self._judge.begin(Recording(self._case, self._folder, target.name, target.host), Coverage())

    def _catch_up(self) -> None:
        """Learn what is watched for the first time; find what changed since the last time."""
        learnt = [os.fsencode(s) for s in (self._known.fact("scopes") or "").split("\0") if s]
        new = [s for s in self._scopes if not any(is_below(s, old) for old in learnt)]
        old = [s for s in self._scopes if s not in new]
        if old:
            since = self._before.get("alive_at") or self._known.fact("alive_at") or self._since
            for scope in old:
                self._close_gap(Lost("watcher-stopped", os.fsdecode(scope), seconds_of(since), time.time()))
        if new:
            self._learn(new)
            kept = [s for s in learnt if not any(is_below(s, other) for other in new)]
            self._known.remember("scopes", "\0".join(os.fsdecode(s) for s in [*kept, *new]))
        for gap in self._case.gaps.listed(self._looker.target.host, only_open=True):
            if gap.reason != "not-watched" and not (gap.reason == "unmounted" and not os.path.ismount(gap.place)):
                number = self._judge.reconcile(os.fsencode(gap.place or "/"), Coverage(), time.time())
                self._teller.gap(self._case.gaps.close(gap, number))

    def _learn(self, scopes: list[bytes]) -> None:
        """Look for the first time, in a process of its own."""
        self._state = "learning"
        self._say_alive()
        self._teller.note("watch.learning", scopes=", ".join(os.fsdecode(s) for s in scopes))

        def work() -> tuple[int, list[Any], bool]:
            from hinomi.flow.watching.learning import learn

            known = Known(self._folder / "known.db")
            with Case.open(self._place) as case:
                number, findings, coverage = learn(
                    case, known, self._looker.target, scopes, self._catalogue, self._indicators, nice=self._options.nice
                )
            known.close()
            return number, findings, coverage.complete

        number, findings, complete = apart(work, LEARN_SECONDS, self._pulse)
        self._case.journal.append("watch-learnt", scopes=[os.fsdecode(s) for s in scopes], entries=number)
        for finding in findings:
            self._teller.finding(finding, new=True)
        self._teller.note("watch.learnt", entries=number, complete=complete)

    # --- the loop -------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        self._sensor.ask()
        while True:
            self._pulse()
            ready, _, _ = select.select([self._sensor.channel], [], [], self._patience())
            if ready:
                try:
                    batch = self._sensor.take()
                except (EOFError, ConnectionError):
                    self._sensor_ended()
                    continue
                self._rest(self._costing(partial(self._surely, partial(self._take, batch))))
                self._sensor.ask()
            self._surely(self._comings.step)
            self._surely(self._come_round)

    def _patience(self) -> float:
        if self._comings.under_way:
            return 0.0
        wait = self._judge.wait
        return PULSE if wait is None else min(PULSE, wait)

    def _pulse(self) -> None:
        """Say that we live; raise `StopRequest` where somebody wants us to end, or time is up."""
        while (given := signal.sigtimedwait(SIGNALS, 0)) is not None:
            if given.si_signo in STOPPERS:
                raise StopRequest(signal.Signals(given.si_signo).name, given.si_pid, given.si_uid)
            self._reload = Requested(given.si_pid, given.si_uid)
        now = time.monotonic()
        if self._until is not None and now >= self._until:
            raise StopRequest("time")
        if now - self._alive >= ALIVE_EVERY:
            self._say_alive()

    def _rest(self, spent: float) -> None:
        """Leave the processor to others, as chosen, once the share of the last `BURST` seconds is used up; what waits
        meanwhile is kept by the sensor."""
        now, share = time.monotonic(), max(0.05, min(1.0, self._options.max_share))
        credit = min(BURST * share, self._credit + (now - self._credited) * share) - spent
        self._credit, self._credited = credit, now
        until = now + min(MAX_REST, -credit / share)
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, PULSE))
            self._pulse()

    @staticmethod
    def _costing(work: Callable[[], None]) -> float:
        """Do something and return the processor's seconds it took, children included."""

        def spent() -> float:
            usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
            return sum(usage.ru_utime + usage.ru_stime for usage in usages)

        before = spent()
        work()
        return spent() - before

    def _surely(self, work: Callable[[], None]) -> None:
        """Do something that writes; on a full disk, say so and try again until it works. Nothing moves on meanwhile."""
        while True:
            try:
                work()
                break
            except (OSError, sqlite3.Error, DBAPIError) as error:
                if not _is_full(error):
                    raise
                if self._full_since is None:
                    self._full_since = datetime.now(UTC).isoformat()
                    self._teller.note("watch.disk-full", place=str(self._case.path))
                until = time.monotonic() + RETRY_SECONDS
                while time.monotonic() < until:
                    self._say_alive()
                    time.sleep(PULSE)
                    self._pulse()
        if self._full_since is not None:
            since, self._full_since = self._full_since, None
            self._teller.note("watch.disk-again", since=since)
            gap = self._case.gaps.open(self._host, "disk-full", str(self._case.path), since, iso(time.time()))
            self._teller.gap(self._case.gaps.close(gap, 0))

    # --- batches --------------------------------------------------------------------------------------------------

    def _take(self, batch: Batch) -> None:
        self._waiting, self._heard = batch.waiting, batch.counters
        for step in batch.clock_steps:
            self._case.journal.append("clock-stepped", seconds=round(step, 3))
            self._teller.note("watch.clock", seconds=round(step, 3))
        if batch.clock_steps:
            self._judge.clock_stepped()
        batch.clock_steps = []
        if batch.mounted or batch.unmounted:
            self._comings.take(batch.mounted, batch.unmounted)
            batch.mounted, batch.unmounted = [], []
        if batch.marks is not None:
            self._marked([asdict(mark) for mark in batch.marks])
            batch.marks = None
        if batch.changes:
            self._judge.settle(batch.changes, more=batch.waiting > 0)
            batch.changes = []
        self._judge.ended(batch.ends)
        batch.ends = []
        if batch.starts:
            unknown = self._judge.started(batch.starts)
            times, batch.starts = [start.started for start in batch.starts], []
            if unknown:
                self._close_gap(Lost("unknown-starts", "", min(times), max(times), unknown))
        for lost in list(batch.lost):
            self._close_gap(lost)
            batch.lost.remove(lost)

    def _close_gap(self, lost: Lost) -> None:
        """State a gap, look again at what it is about, and close it."""
        place = lost.place or os.fsdecode(self._scopes[0] if len(self._scopes) == 1 else b"/")
        if lost.reason == "new-folder":  # no gap: what inotify needs to be asked after
            self._judge.reconcile(os.fsencode(place), Coverage(), lost.until)
            return
        gap = self._case.gaps.open(self._host, lost.reason, place, iso(lost.since), iso(lost.until), number=lost.number)
        self._teller.gap(gap)
        number = 0
        if lost.reason not in OF_PROCESSES:
            coverage = Coverage()
            for scope in self._scopes if not lost.place else [os.fsencode(lost.place)]:
                number += self._judge.reconcile(scope, coverage, lost.until)
        if lost.reason in OF_PROCESSES:
            self._judge.snapshot()
        self._teller.gap(self._case.gaps.close(gap, number))

    def _marked(self, marks: list[dict[str, Any]]) -> None:
        """Remember what is listened to; what is not is a gap that lasts, and is looked at from time to time."""
        self._marks = marks
        unheard = {mark["place"]: mark for mark in marks if not mark["ok"]}
        gaps = self._case.gaps.listed(self._host, only_open=True)
        open_gaps = {gap.place: gap for gap in gaps if gap.reason == "not-watched"}
        for place, mark in unheard.items():
            if place not in open_gaps:
                gap = self._case.gaps.open(
                    self._host, "not-watched", place, iso(time.time()), None, detail=f"{mark['kind']}: {mark['cause']}"
                )
                self._teller.gap(gap)
        for place, gap in open_gaps.items():
            if place not in unheard:
                number = self._judge.reconcile(os.fsencode(place), Coverage(), time.time())
                self._teller.gap(self._case.gaps.close(gap, number))

    def _sensor_ended(self) -> None:
        """Start another, and look again at all that may have changed meanwhile."""
        since = time.time()
        self._case.journal.append("watch-sensor-ended", pid=self._sensor.pid)
        self._sensor.end()
        self._sensor = SensorProcess(self._options, self._scopes, os.fsencode(os.path.realpath(self._case.path)))
        self._surely(lambda: self._close_gap(Lost("sensor-ended", "", since - PULSE, time.time())))
        self._sensor.ask()

    # --- what comes round -----------------------------------------------------------------------------------------

    def _come_round(self) -> None:
        now = time.monotonic()
        self._judge.come_round()
        if self._reload is not None:
            self._read_anew(self._reload)
        if self._alerts is not None:
            self._alerts.pump()
        if now >= self._next_poll:
            self._next_poll = now + self._options.poll_seconds
            for mark in self._marks:
                if not mark["ok"]:
                    self._judge.reconcile(os.fsencode(mark["place"]), Coverage(), time.time())
        if self._options.snapshot_seconds and now >= self._next_snapshot:
            self._next_snapshot = now + self._options.snapshot_seconds
            self._judge.snapshot()
        recording = self._judge.recording
        if recording is not None and recording.rows and self._is_old(recording):
            self._judge.conclude()
            self._looker.close()  # its memory, and that of the rules' process, is the writer's meanwhile
            self._rules.end()
            recording.finish()
            self._begin_recording()

    def _read_anew(self, request: Requested) -> None:
        """Judge by the rules and options of now; what cannot be read stays as it was."""
        self._judge.conclude()
        found = reread(self._reader, self._options)
        self._options = found.options
        if found.rules is not None:
            self._catalogue, self._indicators = found.rules
            self._rules.renew(*found.rules, KeptNeeds(self._folder, self._catalogue.of_kind("sql")))
        self._looker.renew(_watchers(self._catalogue), _selection(found.options), found.options.jobs)
        self._judge.renewed()
        self._case.journal.append(
            "watch-reloaded", by_pid=request.pid, by_uid=request.uid, rules=len(self._catalogue), **found.to_json()
        )
        self._reload = None
        self._teller.note("watch.reloaded", rules=len(self._catalogue))
        for cause in found.failed:
            self._teller.note("watch.not-reloaded", cause=cause)
        if found.later:
            self._teller.note("watch.later", keys=", ".join(found.later))

    def _is_old(self, recording: Recording) -> bool:
        return recording.age >= self._options.run_seconds or recording.rows >= self._options.run_rows

    @property
    def _host(self) -> str:
        return self._looker.target.host

    def _say_alive(self) -> None:
        self._alive = time.monotonic()
        hearing = self._sensor.hearing
        recording = self._judge.recording
        values = {
            "state": self._state, "pid": os.getpid(), "since": self._since, "alive_at": iso(time.time()),
            "scopes": [os.fsdecode(scope) for scope in self._scopes], "backend": hearing.backend,
            "tells_who": hearing.tells_who, "pidfds": hearing.pidfds, "processes": hearing.processes,
            "refused": list(hearing.refused), "waiting": self._waiting, "disk_full_since": self._full_since,
            "run": recording.run.id if recording is not None else None, "marks": self._marks,
            "alerts": self._alerts.state() if self._alerts is not None else [],
            "counters": {**self._heard, **self._judge.counters},
        }  # fmt: skip
        with suppress(OSError):
            self._status.write(values)


def _watchers(catalogue: Catalogue) -> list[ContentCollector]:
    return [content_collector(catalogue)]


def _selection(options: WatchOptions) -> Selection | None:
    return Selection(exclude=options.exclude) if options.exclude else None


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    text = str(getattr(error, "orig", None) or error)
    return "full" in text or "disk I/O" in text
