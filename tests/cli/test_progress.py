"""Progress: files, bytes, rate, time left and the current path; a line a minute where nobody watches."""

from __future__ import annotations

import io
import sys

import pytest

from hinomi.cli import progress as module
from hinomi.cli.progress import progress
from hinomi.cli.settings import Settings
from hinomi.flow.earlier import Earlier


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def lines(monkeypatch: pytest.MonkeyPatch, clock: Clock, stream: io.StringIO, files: int | None = None) -> str:
    """Report three minutes of a scan, ten times a minute."""
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(Settings(), Earlier(files=files)) as report:
        assert report is not None
        for step in range(1, 31):
            clock.now += 6
            report(step * 1000, step * 60_000_000, f"/usr/lib/file-{step}")
    return stream.getvalue()


def test_a_line_a_minute_where_nobody_watches(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    told = lines(monkeypatch, clock, io.StringIO()).splitlines()
    assert [line.split("  ")[-1].strip() for line in told] == [f"/usr/lib/file-{n}" for n in (10, 20, 30)]
    assert told[0].startswith("10,000 files, 600 MB, 10 MB/s  ")


def test_the_time_left_is_told_by_the_last_look(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    told = lines(monkeypatch, clock, io.StringIO(), files=25_000).splitlines()
    assert [line.split("  ")[0].rpartition(", ")[2] for line in told] == ["1:30 left", "0:30 left", "10 MB/s"]


def test_a_terminal_has_one_moving_line(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    told = lines(monkeypatch, clock, Terminal())
    assert told.count("\r") == 31 and "\n" not in told and "/usr/lib/file-30" in told


def test_names_are_shown_never_obeyed(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(Settings()) as report:
        assert report is not None
        clock.now += 61
        report(1, 1, "/tmp/\x1b]0;owned\x07\nfake line")
    assert "\x1b" not in stream.getvalue() and stream.getvalue().count("\n") == 1


def test_quiet_shows_nothing(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    with progress(Settings(verbosity=-1)) as report:
        assert report is None
    assert stream.getvalue() == ""
