"""Programs that tell of events as they come: what reads them goes round for as long as they run."""

from __future__ import annotations

from hinomi.evidence.scripts.shell.conditions import TRUE
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.shell.sinks import started
from hinomi.evidence.scripts.values import Source, unknown

EVENTS = "events"  # kind of source


def told_without_end(call: Call) -> Result:
    """Return the output of a program that ends only when it is ended."""
    return Result(unknown(f"$({call.text[:400]})", Source(EVENTS, None, call.name)))


@handles("inotifywait", "fsnotifywait", "fanotifywait")
def wait_for_files(machine: Machine, call: Call) -> Result:
    """Tells of every event with `-m`, else ends with the first: `while inotifywait …` goes round at each."""
    started(machine, call)
    return told_without_end(call) if call.flag("m", "--monitor") else Result(conditions=TRUE)


@handles("fatrace", "fswatch", "inotifywatch", "logread", "udevadm", "busctl", "dbus-monitor", "ip")
def monitor(machine: Machine, call: Call) -> Result | None:
    """`fatrace`, `logread -f`, `udevadm monitor`, `ip monitor`: the rest of their uses is nothing of the kind."""
    following = call.name in ("fatrace", "fswatch", "dbus-monitor") or call.flag("f", "--follow")
    if call.name in ("udevadm", "busctl", "ip"):
        following = any(word.text == "monitor" for word in call.operands())
    return told_without_end(call) if following else None
