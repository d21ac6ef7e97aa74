"""Ask the rules of a few rows: only those rules that could say something new, in the process that is kept for it."""

from __future__ import annotations

import os
import socket
import subprocess
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from hinomi.detect.catalogue import Catalogue
from hinomi.detect.indicator import Indicator
from hinomi.detect.needs import tables_of, words_of
from hinomi.flow.watching import answering
from hinomi.flow.watching.answering import SECONDS, Answer, Given, Moved, Numbered, Question
from hinomi.flow.watching.needing import KeptNeeds, Needs
from hinomi.flow.watching.programs import environment, program
from hinomi.model.findings import Coverage, Finding
from hinomi.model.tables import table_of
from hinomi.watch.live.sensor import receive, send

PATIENCE = 30.0  # seconds beyond what a question may take
PART = 256  # rows sent at once
_NONE: frozenset[str] = frozenset()


class Rules:
    """All rules and indicators at hand, and the process that asks them."""

    def __init__(
        self, catalogue: Catalogue, indicators: Sequence[Indicator], folder: Path, kept: KeptNeeds | None = None
    ) -> None:
        """Start the process; `folder` is for its temporary files, `kept` is what is known of the rules from before."""
        self._catalogue = catalogue
        self._indicators = indicators
        self._folder = folder
        self._kept = kept
        self._needs: Needs | None = kept.read() if kept is not None else None
        self._run = ""
        self._loaded: set[tuple[str, int]] = set()
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    @property
    def pid(self) -> int:
        """The process; 0 for none."""
        return self._process.pid if self._process is not None else 0

    def _start(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(SECONDS + PATIENCE)
        with theirs:
            words = program("ruling", str(theirs.fileno()))
            self._process = subprocess.Popen(words, pass_fds=[theirs.fileno()], env=environment())
        with suppress(ConnectionError):  # the first question says that it ended
            given = Given(
                self._catalogue, tuple(self._indicators), self._folder, self._needs, os.getpid(), answering.GROWN
            )
            send(self._channel, given)
        self._run = ""
        self._loaded.clear()

    def renew(self, catalogue: Catalogue, indicators: Sequence[Indicator], kept: KeptNeeds | None = None) -> None:
        """Go on with other rules and indicators, in a fresh process."""
        self.end()
        self._catalogue, self._indicators, self._kept = catalogue, indicators, kept
        self._needs = kept.read() if kept is not None else None
        self._start()

    def about(self, tables: Collection[str], present: Collection[str]) -> frozenset[str]:
        """Return the ids of the rules that ask about any of `tables` and whose needs are all `present`."""
        wanted, there, needs = frozenset(tables), frozenset(present), self._needs or {}
        return frozenset(
            rule.id for rule in self._catalogue.rules if tables_of(rule) & wanted and needs.get(rule.id, _NONE) <= there
        )

    def ask(
        self, rows: Sequence[Numbered], changed: Collection[str], *, run: str, seen: str, coverage: Coverage
    ) -> list[Finding]:
        """Return the findings among `rows` (with their numbers in `run`) by the rules about the tables `changed`.

        What goes wrong is a miss in `coverage`.
        """
        try:
            answer = self._asked(rows, changed, run, seen)
        except (EOFError, OSError) as error:  # it ended, or takes too long
            coverage.miss("rules", run, "crashed", str(error) or "the process that asks the rules ended")
            self.end()
            self._start()
            return []
        if answer.needs is not None:
            self._learn(answer.needs)
        if answer.grown:
            self.end()
            self._start()
        coverage.missed.update(answer.coverage.missed)
        coverage.misses += answer.coverage.misses[: max(0, 1000 - len(coverage.misses))]
        return answer.findings

    def _learn(self, needs: Needs) -> None:
        self._needs = needs
        if self._kept is not None and needs:
            self._kept.write(needs)

    def _asked(self, rows: Sequence[Numbered], changed: Collection[str], run: str, seen: str) -> Answer:
        if self._channel is None:
            self._start()
        assert self._channel is not None
        afresh = run != self._run
        if afresh:
            self._run = run
            self._loaded.clear()
        wanted = {(table_of(type(row)).name, number): row for row, number in rows}
        drop: dict[str, list[int]] = defaultdict(list)
        for table, number in self._loaded - wanted.keys():
            drop[table].append(number)
        put = [(row, key[1]) for key, row in wanted.items() if key not in self._loaded]
        self._loaded = set(wanted)
        rules = self.about(changed, {word for (table, _), row in wanted.items() for word in words_of(table, row)})
        send(self._channel, Moved(drop, put[:PART], afresh))
        for start in range(PART, len(put), PART):
            send(self._channel, Moved(put=put[start : start + PART]))
        send(self._channel, Question(rules, run, seen))
        answer = receive(self._channel)
        assert isinstance(answer, Answer)
        return answer

    def end(self) -> None:
        """End the process; the next question starts another."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
