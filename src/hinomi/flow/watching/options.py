"""What a user may choose about the watch; `hinomi.toml` has the same keys under `[watch]`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from hinomi.model.errors import ConfigError, UsageError
from hinomi.watch.live.mounts import is_below

BackendName = Literal["auto", "fanotify", "inotify", "polling"]
BACKENDS: tuple[BackendName, ...] = ("auto", "fanotify", "inotify", "polling")


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """One watch. Times in seconds, sizes in paths or rows."""

    on: tuple[str, ...] = ("/",)  # folders to watch
    exclude: tuple[str, ...] = ()  # globs, as for scans: what matches is neither looked at nor reported
    backend: BackendName = "auto"
    processes: bool = True  # follow the life of processes
    window: float = 0.05  # changes are gathered this long before they are looked at
    max_pending: int = 100_000  # paths that may wait; beyond, the rest is a gap and looked up afterwards
    unlimited_queue: bool = True  # let the kernel queue grow; False: its own limit (fs.fanotify.max_queued_events)
    ended_processes: int = 8192  # remembered, so that their changes have a name
    max_share: float = 0.5  # of one core that judging may take on average
    jobs: int = 1  # worker processes that read content while watching
    poll_seconds: float = 60.0  # how often to look again where nothing can be listened to
    snapshot_seconds: float = 300.0  # how often processes and sockets are looked at as a whole; 0: never
    run_seconds: float = 3600.0  # a run of evidence is closed after this time ...
    run_rows: int = 100_000  # ... or this many rows
    alerts: tuple[str, ...] = ()  # where alerts go: journald, syslog=…, webhook=URL, slack=URL, file=PATH
    alert_least: str = "medium"  # least severity of an alert
    alert_again_after: float = 3600.0  # the same alert is sent once in this time; the rest is counted
    alert_per_minute: int = 30  # to one place; the rest is counted and told in one message
    nice: bool = False  # judge at the lowest priority: kinder to others, and later to tell


def from_table(table: dict[str, Any], place: str) -> WatchOptions:
    """Return the options of a configuration's `[watch]` table; `ConfigError` for a wrong key or type."""
    known = {f.name: f for f in fields(WatchOptions)}
    given: dict[str, Any] = {}
    default = WatchOptions()
    for key, value in table.items():
        if key not in known:
            raise ConfigError("config.unknown-key", place=f"{place} [watch]", cause=key, next_step=", ".join(known))
        given[key] = _typed(value, getattr(default, key), f"{place} [watch] {key}")
    options = WatchOptions(**given)
    if options.backend not in BACKENDS:
        raise ConfigError("config.wrong-value", place=f"{place} [watch] backend", cause=str(options.backend))
    return options


def _typed(value: Any, default: Any, place: str) -> Any:
    if isinstance(default, tuple) and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(default) or (isinstance(value, int | float) and value < 0):
        raise ConfigError("config.wrong-type", place=place, cause=f"{value!r}, not {type(default).__name__}")
    return value


def scopes_of(names: Sequence[str]) -> list[bytes]:
    """Return the folders to watch as real paths, those inside others left out; `UsageError` for a missing one."""
    found = []
    for name in names:
        path = os.path.realpath(os.fsencode(name))
        if not os.path.isdir(path):
            raise UsageError("target.missing", place=name, cause="no such folder")
        found.append(path)
    return [p for p in sorted(set(found)) if not any(p != other and is_below(p, other) for other in found)]
