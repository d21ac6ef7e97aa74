"""How the watch speaks on the terminal: one line for each thing, or one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from hinomi.cli.output import open_stream
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.model.text import printable

if TYPE_CHECKING:
    from hinomi.flow.watching.status import WatchStatus
    from hinomi.model.findings import Finding
    from hinomi.model.tables.changes import FileChange
    from hinomi.model.tables.processes import Process
    from hinomi.store.gaps import Gap

_LEFT_OUT = ("path", "what", "attributes")


class Printer:
    """Prints what the watch tells (implements `Teller`).

    As text: findings and gaps, with --verbose also every change and program start. As JSON lines: everything.
    """

    def __init__(self, settings: Settings) -> None:
        self._json = settings.format == "jsonl"
        self._settings = settings
        self._stream = open_stream(settings)

    def change(self, change: FileChange) -> None:
        """A file changed."""
        if self._json:
            self._put_json(change_json(change))
        elif self._settings.verbosity > 0:
            who = f"  {change.exe or '?'} (pid {change.pid})" if change.pid else ""
            why = f"  [{change.explained}]" if change.explained else ""
            self._put(f"{_clock(change.at)}  {change.what:9} {change.path}{who}{why}")

    def start(self, process: Process) -> None:
        """A program was started."""
        if self._json:
            self._put_json({"schema": "hinomi.process-start/1", **vars(process)})
        elif self._settings.verbosity > 0:
            words = " ".join(process.cmdline)[:200] or process.exe or process.name
            self._put(f"{_clock(process.started)}  {'started':9} pid {process.pid}: {words}")

    def finding(self, finding: Finding, *, new: bool) -> None:
        """A rule found something."""
        if self._json:
            self._put_json({**finding.to_json(), "new": new})
            return
        title = finding.title.in_language(self._settings.language)
        again = "" if new else say("watch.again")
        self._put(f"{_clock_of(finding.last_seen)}  {finding.severity.upper():9} {title}{again}  ({finding.rule_id})")
        who = finding.attributes.get("changed_by")
        if who:
            line = " → ".join(f"{n['exe'] or '?'}[{n['pid']}]" for n in finding.attributes.get("process_tree", ()))
            self._put(f"{'':20}{say('watch.by', line=line, user=who['login_user'] or who['user'] or '?')}")

    def gap(self, gap: Gap) -> None:
        """A gap was opened or closed."""
        if self._json:
            self._put_json(gap.to_json())
        else:
            key = "watch.gap.open" if gap.reconciled_at is None else "watch.gap.closed"
            self._put(
                say(key, reason=gap.reason, place=gap.place, since=gap.since, until=gap.until, changes=gap.changes)
            )

    def note(self, word: str, **facts: Any) -> None:
        """Something about the watcher itself: on standard error, as for every command."""
        if self._settings.verbosity >= 0:
            click.echo(say(word, **facts), err=True)

    def _put_json(self, value: dict[str, Any]) -> None:
        self._write(json.dumps(value, ensure_ascii=True, default=_text))

    def _put(self, line: str) -> None:
        self._write(printable(line))

    def _write(self, line: str) -> None:
        self._stream.write(line.encode("utf-8", "backslashreplace") + b"\n")


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def change_json(change: FileChange) -> dict[str, Any]:
    """Return a change as an object: as `baseline diff` says it, with the rest of the row beside it."""
    values = {"size": (change.old_size, change.new_size), "mode": (change.old_mode, change.new_mode),
              "sha256": (change.old_sha256, change.new_sha256)}  # fmt: skip
    attributes = {
        name: {"old": values[name][0], "new": values[name][1]} if name in values else {} for name in change.attributes
    }
    row = {name: value for name, value in vars(change).items() if name not in _LEFT_OUT}
    return {
        "schema": "hinomi.change/1", "path": change.path, "what": change.what, "attributes": attributes, **row,
    }  # fmt: skip


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _clock_of(text: str | None) -> str:
    return (text or "")[:19].replace("T", " ")


def render_status(status: WatchStatus, settings: Settings) -> str:
    """Return the state of the watch as two tables: facts, then gaps."""
    from hinomi.cli.tables import render_rows

    facts = render_rows(["", ""], list(_facts(status)), settings)
    if not status.gaps:
        return facts
    rows = [
        (g.reason, g.place, g.since[:19], (g.until or "…")[:19], g.number, (g.reconciled_at or "–")[:19],
         "" if g.changes is None else g.changes, g.detail) for g in status.gaps[-50:]
    ]  # fmt: skip
    columns = [
        say(f"watch.column.{name}") for name in ("reason", "place", "since", "until", "number", "closed", "changes")
    ]
    return facts + render_rows([*columns, ""], rows, settings)


def _facts(status: WatchStatus) -> Iterator[tuple[str, str]]:
    values = status.values
    yield say("watch.status.state"), say("watch.status.running") if status.running else say("watch.status.not-running")
    for name in ("pid", "since", "alive_at", "backend", "tells_who", "processes", "waiting", "disk_full_since", "run"):
        if values.get(name) is not None:
            yield name.replace("_", " "), str(values[name])
    for name in ("scopes", "refused"):
        if values.get(name):
            yield name, ", ".join(values[name])
    for mark in values.get("marks", ()):
        yield f"{mark['kind']} {mark['place']}", "✓" if mark["ok"] else f"✗ {mark['cause']}"
    for name, number in sorted(values.get("counters", {}).items()):
        yield name, f"{number:,}"
