"""The process that asks the rules: engine loaded and rules parsed once, the rows that matter kept in memory.

What a rule does to it costs one question: a fresh process takes its place, as it does when it has grown.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from hinomi.detect.catalogue import Catalogue
from hinomi.detect.detect import drafts_of, worded
from hinomi.detect.draft import cited, merged
from hinomi.detect.indicator import Indicator
from hinomi.detect.needs import needs_of
from hinomi.detect.shows import shown_rows
from hinomi.detect.sql import engine_library
from hinomi.detect.standing import StandingEvidence
from hinomi.flow.watching.apart import Other
from hinomi.flow.watching.needing import Needs
from hinomi.model.findings import Coverage, Finding
from hinomi.model.tables import Row, table_of
from hinomi.watch.live.librarycode import LibraryCode
from hinomi.watch.live.sensor import receive, send
from hinomi.watch.live.syscalls import end_with, trim

SECONDS = 120.0  # for one question
NEEDS_SECONDS = 120.0
GROWN = 32 << 20  # bytes of memory more than before the first question, after which a fresh process should take over
SETTLED = 30  # answers, before which none takes over
TRIM_AFTER = 1_000
REST_SECONDS = 0.3  # without a question, after which memory is given back
Numbered = tuple[Row, int]


@dataclass(frozen=True, slots=True)
class Moved:
    """Rows that go and come before a question is asked. It has no answer; a few at a time, so that few are held."""

    drop: Mapping[str, Sequence[int]] = field(default_factory=dict)
    put: Sequence[Numbered] = ()
    afresh: bool = False  # forget all rows before


@dataclass(frozen=True, slots=True)
class Question:
    """The rules to ask (by id; none: nothing is asked)."""

    rules: frozenset[str] = frozenset()
    run: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rules found, what could not be asked, and whether the process has grown too large."""

    findings: list[Finding]
    coverage: Coverage
    grown: bool = False
    needs: Needs | None = None  # where they have just been found out


@dataclass(frozen=True, slots=True)
class Given:
    """What the process begins with."""

    catalogue: Catalogue
    indicators: Sequence[Indicator]
    folder: Path  # for temporary files
    needs: Needs | None  # found out beside where they are not known, and told with the first answer after that
    parent: int  # process with which it ends
    grown: int


def serve(channel: socket.socket, given: Given) -> NoReturn:
    """Answer questions until the channel ends; ends the process."""
    try:
        end_with(given.parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        gc.freeze()
        finding_out = None if given.needs is not None else Other(partial(_needs, given.catalogue, given.folder))
        answering = _Answering(given)
        with suppress(EOFError, ConnectionError):
            while True:
                if not select.select([channel], [], [], REST_SECONDS)[0]:
                    trim()
                message = receive(channel)
                if isinstance(message, Moved):
                    answering.take(message)
                    continue
                assert isinstance(message, Question)  # our own parent's
                answer = answering.answer(message)
                if finding_out is not None and select.select([finding_out], [], [], 0)[0]:
                    found = finding_out.answer(time.monotonic() + NEEDS_SECONDS)
                    finding_out.end()
                    answer, finding_out = replace(answer, needs=found if isinstance(found, dict) else {}), None
                send(channel, answer)
    finally:
        os._exit(0)


def _needs(catalogue: Catalogue, folder: Path) -> Needs:
    """Find out what rules cannot do without."""
    return needs_of(catalogue.of_kind("sql"), str(folder))


class _Answering:
    """Keeps the rows and asks."""

    def __init__(self, given: Given) -> None:
        self._catalogue = given.catalogue
        self._indicators = given.indicators
        self._grown = given.grown
        self._evidence = StandingEvidence(given.folder)
        self._evidence.parse(rule.body for rule in given.catalogue.of_kind("sql"))
        self._moved = 0  # rows since memory was given back
        self._answers = 0
        self._engine = LibraryCode(engine_library())
        self._engine.let_go()
        trim()
        self._base = _own_memory()

    def take(self, moved: Moved) -> None:
        if moved.afresh:
            self._evidence.empty()
        for table, numbers in moved.drop.items():
            self._evidence.drop(table, numbers)
        self._evidence.settle()
        self._put(moved.put)
        self._moved += len(moved.put)

    def answer(self, question: Question) -> Answer:
        coverage = Coverage()
        findings = self._ask(question, coverage) if question.rules or self._indicators else []
        if self._moved > TRIM_AFTER:
            self._moved = 0
            trim()
        self._engine.let_go()  # while the judge and its workers have theirs
        return Answer(findings, coverage, self._has_grown())

    def _has_grown(self) -> bool:
        self._answers += 1
        return self._answers > SETTLED and _own_memory() > self._base + self._grown

    def _put(self, rows: Sequence[Numbered]) -> None:
        grouped: dict[str, list[Numbered]] = defaultdict(list)
        for row, number in rows:
            grouped[table_of(type(row)).name].append((row, number))
        for table, numbered in grouped.items():
            ordered = sorted(numbered, key=lambda one: one[1])
            self._evidence.put(table, [row for row, _ in ordered], [number for _, number in ordered])

    def _ask(self, question: Question, coverage: Coverage) -> list[Finding]:
        asked = tuple(rule for rule in self._catalogue.rules if rule.id in question.rules)
        part = replace(self._catalogue, rules=asked, errors=())
        drafts = merged(drafts_of(self._evidence, part, self._indicators, coverage))
        shows = shown_rows(self._evidence, {ref for draft in drafts for ref in cited(draft)})
        return worded(drafts, shows, target="/", run=question.run, seen=question.seen)


def _own_memory() -> int:
    """Return the bytes of memory that this process has written to, those shared with its parent included."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
    return 0
