"""launchd's agents and daemons on macOS: property lists, XML or binary, of the system and of every user."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from hinomi.evidence.autostart.rows import MAX_COMMAND, command_rows
from hinomi.evidence.autostart.site import Site
from hinomi.evidence.plist import plist_text, read_plist
from hinomi.model.errors import ParseError
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_text

_DAEMONS = (b"/Library/LaunchDaemons", b"/System/Library/LaunchDaemons")
_AGENTS = (b"/Library/LaunchAgents", b"/System/Library/LaunchAgents")
_HOME_AGENTS = b"Library/LaunchAgents"
_CALENDAR = ("Month", "Day", "Weekday", "Hour", "Minute")
_EVENTS = ("WatchPaths", "QueueDirectories", "Sockets", "MachServices", "LaunchEvents", "StartOnMount")
MAX_ARGUMENTS = 200


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program of every property list."""
    for path in site.files(*_DAEMONS, suffix=b".plist"):
        yield from _job(site, "launch-daemon", path, "root", None)
    for path in site.files(*_AGENTS, suffix=b".plist"):
        yield from _job(site, "launch-agent", path, None, None)
    for home in site.homes:
        for path in site.files(home.path + b"/" + _HOME_AGENTS, suffix=b".plist"):
            yield from _job(site, "launch-agent", path, home.user, home.path)


def _job(site: Site, mechanism: str, path: bytes, user: str | None, home: bytes | None) -> Iterator[Persistence]:
    data = site.data(path)
    if data is None:
        return
    try:
        job = read_plist(data, path_text(path))
    except ParseError as error:
        site.coverage.miss("persistence", path_text(path), "unparsable", error.cause)
        return
    command = _command(job)
    if command is None:
        return
    trigger, schedule = _when(job, boot=mechanism == "launch-daemon")
    yield from command_rows(
        site, mechanism, path, command[:MAX_COMMAND], home=home, name=plist_text(job.get("Label")),
        user=plist_text(job.get("UserName")) or user, trigger=trigger, schedule=schedule,
        enabled=job.get("Disabled") is not True,
    )  # fmt: skip


def _command(job: dict[str, Any]) -> str | None:
    """Return the command; `Program` is what runs, `ProgramArguments` then only says what it is told."""
    given = job.get("ProgramArguments")
    arguments = [word for word in given[:MAX_ARGUMENTS] if isinstance(word, str)] if isinstance(given, list) else []
    program = plist_text(job.get("Program")) or plist_text(job.get("BundleProgram"))
    words = [program, *arguments[1:]] if program else arguments
    return shlex.join(words) if words else None


def _when(job: dict[str, Any], *, boot: bool) -> tuple[str, str | None]:
    interval = job.get("StartInterval")
    if isinstance(interval, int) and not isinstance(interval, bool):
        return "schedule", f"every {interval} s"[:100]
    calendar = job.get("StartCalendarInterval")
    if calendar is not None:
        entries = calendar if isinstance(calendar, list) else [calendar]
        times = [_calendar(entry) for entry in entries[:50] if isinstance(entry, dict)]
        return "schedule", "; ".join(times) or None
    if job.get("RunAtLoad") is not True and not job.get("KeepAlive") and any(key in job for key in _EVENTS):
        return "event", None
    return ("boot" if boot else "login"), None


def _calendar(entry: dict[Any, Any]) -> str:
    return " ".join(f"{key}={entry[key]}"[:30] for key in _CALENDAR if isinstance(entry.get(key), int))
