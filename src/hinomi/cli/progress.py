"""Progress on standard error: a moving line on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.model.text import printable

LINE_WIDTH = 100
TERMINAL_SECONDS = 0.2
LOG_SECONDS = 60.0


@contextmanager
def progress(settings: Settings) -> Iterator[Callable[[int, int, str], None] | None]:
    """Give a callback `(files, bytes, current path)`; nothing is shown with --quiet."""
    if settings.verbosity < 0:
        yield None
        return
    terminal = sys.stderr.isatty()
    every = TERMINAL_SECONDS if terminal else LOG_SECONDS
    start = last = time.monotonic()

    def report(files: int, size: int, path: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < every:
            return
        last = now
        rate = size / max(now - start, 0.001) / 1e6
        line = say("progress.line", files=f"{files:,}", size=f"{size / 1e6:,.0f}", rate=f"{rate:,.0f}", path=path)
        click.echo(f"{_fitted(line)}\r" if terminal else line, nl=not terminal, err=True)

    try:
        yield report
    finally:
        if terminal:
            click.echo(" " * LINE_WIDTH + "\r", nl=False, err=True)


def _fitted(line: str) -> str:
    """Cut a line to the terminal's columns, counting wide characters as two."""
    from wcwidth import wcswidth

    shown = printable(line)
    while wcswidth(shown) > LINE_WIDTH:
        shown = shown[:-1]
    return shown + " " * (LINE_WIDTH - max(wcswidth(shown), 0))
