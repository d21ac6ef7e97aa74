"""Progress on standard error: a moving line on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from hinomi.cli.output import tell
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.model.text import printable

if TYPE_CHECKING:
    from hinomi.flow.earlier import Earlier

LINE_WIDTH = 100
TERMINAL_SECONDS = 0.2
LOG_SECONDS = 60.0


@contextmanager
def progress(settings: Settings, earlier: Earlier | None = None) -> Iterator[Callable[[int, int, str], None] | None]:
    """Give a callback `(files, bytes, current path)`; nothing is shown with --quiet.

    What is known of earlier looks says what is resumed, and how long it may take.
    """
    if settings.verbosity < 0:
        yield None
        return
    for run in earlier.interrupted if earlier is not None else ():
        tell(settings, say("progress.resumes", target=printable(run.target), when=run.started[:19] + "Z"))
    expected = earlier.files if earlier is not None else None
    terminal = sys.stderr.isatty()
    every = TERMINAL_SECONDS if terminal else LOG_SECONDS
    start = last = time.monotonic()

    def report(files: int, size: int, path: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < every:
            return
        last = now
        line = say(
            "progress.line", files=f"{files:,}", size=f"{size / 1e6:,.0f}", path=path,
            rate=f"{size / max(now - start, 0.001) / 1e6:,.0f}", left=_left(files, expected, now - start),
        )  # fmt: skip
        click.echo(f"{_fitted(line)}\r" if terminal else line, nl=not terminal, err=True)

    try:
        yield report
    finally:
        if terminal:
            click.echo(" " * LINE_WIDTH + "\r", nl=False, err=True)


def _left(files: int, expected: int | None, seconds: float) -> str:
    """Return the time left, by how many files the last look had; empty where nobody can tell."""
    if expected is None or not 0 < files < expected:
        return ""
    left = round(seconds * (expected - files) / files)
    return say("progress.left", minutes=str(left // 60), seconds=f"{left % 60:02}")


def _fitted(line: str) -> str:
    """Cut a line to the terminal's columns, counting wide characters as two."""
    from wcwidth import wcswidth

    shown = printable(line)
    while wcswidth(shown) > LINE_WIDTH:
        shown = shown[:-1]
    return shown + " " * (LINE_WIDTH - max(wcswidth(shown), 0))
