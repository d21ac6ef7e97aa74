"""SIGHUP: rules and configuration are read anew, it is in the journal, and nothing ends."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hinomi.detect.catalogue import BUILT_IN
from hinomi.flow.watching.options import WatchOptions
from hinomi.flow.watching.reloading import Reader, reread
from hinomi.model.errors import ConfigError
from hinomi.store.case import Case

QUERY = """query: |
  SELECT f.path AS subject, f.row AS files_row FROM files f WHERE f.path LIKE '%/marked%'
"""


def put_rule(folder: Path, name: str) -> None:
    """Write a rule of one's own."""
    text = (BUILT_IN / "sql" / "watcher-tampered.yml").read_text("utf-8")
    head = text[: text.index("explanation:")].replace("watcher-tampered", name)
    rest = text[text.index("status:") : text.index("query:")]
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yml").write_text(f'{head}explanation: {{en: "{{subject}}", ja: "{{subject}}"}}\n{rest}{QUERY}')


def family(pid: int) -> list[int]:
    """A process and those below it."""
    found = [pid]
    with suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += family(int(child))
    return found


def test_a_hang_up_reads_rules_and_configuration_anew(place: Path, watching: Callable[..., Any]) -> None:
    watch = watching("--no-processes").ready()
    settings = watch.case.with_name("hinomi.toml")
    (place / "marked-before").write_text("x")
    watch.change("marked-before", "added")
    put_rule(watch.case / "rules", "marked-file")
    settings.write_text('[watch]\nexclude = ["*.left-out"]\nwindow = 0.1\n')
    for pid in reversed(family(watch.process.pid)):  # as a terminal does it: all of the group
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGHUP)
    watch.until(lambda: "Read anew" in watch.said, "it has read the rules")
    assert "Counts from the next start: window" in watch.said
    for name in ("one.left-out", "marked-after"):
        (place / name).write_text("x")
    assert watch.change("marked-after", "added")["found_by"] == "event"
    watch.finding("marked-file", str(place / "marked-after"))

    settings.write_text("[watch]\nexclude = 7\n")
    watch.process.send_signal(signal.SIGHUP)
    watch.until(lambda: "stays as it was" in watch.said, "it says what it could not read")
    for name in ("two.left-out", "marked-last"):
        (place / name).write_text("x")
    watch.finding("marked-file", str(place / "marked-last"))
    assert [c["path"] for c in watch.changes() if "left-out" in c["path"]] == []
    watch.stop()
    assert watch.gaps("sensor-ended") == []
    with Case.open(watch.case) as case:
        entries = [json.loads(e.body) for e in case.journal.entries() if e.event == "watch-reloaded"]
        first, last = entries[0], entries[-1]
        assert first["by_pid"] == last["by_pid"] == os.getpid() and (first["options"], first["later"]) == (
            ["exclude"], ["window"],
        )  # fmt: skip
        assert last["failed"] and last["options"] == [] and last["rules"] == first["rules"]


@pytest.fixture
def case(tmp_path: Path) -> Any:
    with Case.open(tmp_path / "case") as opened:
        yield opened


def test_what_cannot_be_read_stays_as_it_was(case: Case, tmp_path: Path) -> None:
    def refused() -> WatchOptions:
        raise ConfigError("config.unreadable", place="hinomi.toml", cause="no TOML")

    options = WatchOptions(jobs=3)
    found = reread(Reader(case, [tmp_path / "gone"], refused), options)
    assert found.options == options and found.rules is None and len(found.failed) == 2
    wanted = replace(options, jobs=2, backend="polling", exclude=("*.o",))
    again = reread(Reader(case, [], lambda: wanted), options)
    assert again.options == replace(options, jobs=2, exclude=("*.o",)) and again.rules is not None
    assert (set(again.changed), again.later) == ({"jobs", "exclude"}, ("backend",)) and again.failed == ()


def test_a_broken_rule_costs_itself_alone_and_is_in_the_journal(case: Case) -> None:
    put_rule(case.path / "rules", "one-of-ours")
    before = reread(Reader(case, [], WatchOptions), WatchOptions())
    (case.path / "rules" / "broken.yml").write_text("id: [")
    after = reread(Reader(case, [], WatchOptions), WatchOptions())
    assert before.rules is not None and after.rules is not None and len(after.rules[0]) == len(before.rules[0])
    assert after.rules[0].get("one-of-ours") is not None
    assert [Path(place).name for place in after.to_json()["bad_rules"]] == ["broken.yml:2:1"]
