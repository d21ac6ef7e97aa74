"""The options that say how targets are examined, gathered into one `ScanOptions`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from hinomi.cli.words import say

F = TypeVar("F", bound=Callable[..., Any])
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"([0-9]{1,15})([kmgt]?)(?:i?b)?", re.IGNORECASE)


KEY_FILE = click.Path(exists=True, dir_okay=False)


class Size(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """A number of bytes: 500, 10K, 5M, 2GiB (powers of 1,024)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return bytes."""
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(str(value).strip())
        if found is None:
            self.fail(say("option.max-size.wrong", value=str(value)), param, ctx)
        return int(found[1]) * _UNITS[found[2].lower()]


def scan_options(function: F) -> F:
    """Add the options; the command receives one `options: ScanOptions`."""

    @functools.wraps(function)
    def run(**values: Any) -> Any:
        from hinomi.evidence.options import ScanOptions

        names = ("same_fs", "include", "exclude", "max_size", "jobs", "nice", "unblob", "dissect", "key_file")
        chosen = {name: values.pop(name) for name in names}
        chosen |= {"use_cache": not values.pop("no_cache"), "nested": not values.pop("no_nested")}
        return function(options=ScanOptions(**chosen), **values)

    result: F = _with(run, _options())
    return result


def memory_options(function: F) -> F:
    """Add the options about memory, below `scan_options`: what they choose becomes part of the `ScanOptions`."""

    @functools.wraps(function)
    def run(**values: Any) -> Any:
        memory, pids = values.pop("memory"), tuple(values.pop("pid"))
        return function(**values | {"options": replace(values["options"], memory=memory, pids=pids)})

    result: F = _with(run, _memory_options())
    return result


def _with(function: Any, options: list[Callable[[Any], Any]]) -> Any:
    for option in reversed(options):
        function = option(function)
    return function


def _options() -> list[Callable[[Any], Any]]:
    return [
        click.option("--same-fs", is_flag=True, help=say("option.same-fs")),
        click.option("--include", multiple=True, metavar="GLOB", help=say("option.include")),
        click.option("--exclude", multiple=True, metavar="GLOB", help=say("option.exclude")),
        click.option("--max-size", type=Size(), metavar="SIZE", help=say("option.max-size")),
        click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help=say("option.jobs")),
        click.option("--nice", is_flag=True, help=say("option.nice")),
        click.option("--no-nested", is_flag=True, help=say("option.no-nested")),
        click.option("--unblob", metavar="PROGRAM", help=say("option.unblob")),
        click.option("--dissect", metavar="PROGRAM", help=say("option.dissect")),
        click.option(
            "--key-file", metavar="FILE", type=click.Path(exists=True, dir_okay=False), help=say("option.key-file")
        ),
        click.option("--no-cache", is_flag=True, help=say("option.no-cache")),
    ]


def _memory_options() -> list[Callable[[Any], Any]]:
    return [
        click.option("--memory", is_flag=True, help=say("option.memory")),
        click.option("--pid", type=click.IntRange(1), multiple=True, metavar="N", help=say("option.pid")),
    ]
