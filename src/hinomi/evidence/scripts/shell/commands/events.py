"""Programs that tell of events as they come: what reads them goes round for as long as they run."""

from __future__ import annotations

from hinomi.evidence.scripts.shell.conditions import TRUE
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.shell.sinks import started
from hinomi.evidence.scripts.values import Source, unknown


def told_without_end(call: Call) -> Result:
    """Return the output of a program that ends only when it is ended."""
    return Result(unknown(f"$({call.text[:400]})", Source("events", None, call.name)))


@handles("inotifywait", "fsnotifywait", "fanotifywait")
def wait_for_files(machine: Machine, call: Call) -> Result:
    """Tells of every event with `-m`, else ends with the first: `while inotifywait …` goes round at each."""
    started(machine, call)
    return told_without_end(call) if call.flag("m", "--monitor") else Result(conditions=TRUE)


@handles("fatrace", "fswatch", "dbus-monitor")
def monitor(machine: Machine, call: Call) -> Result:
    """Tell of events whatever they are asked."""
    started(machine, call)
    return told_without_end(call)


@handles("logread")
def log(machine: Machine, call: Call) -> Result:
    """`logread -f` goes on."""
    started(machine, call)
    return told_without_end(call) if call.flag("f", "--follow") else Result()


@handles("udevadm", "busctl")
def asked_to_monitor(_: Machine, call: Call) -> Result | None:
    """`udevadm monitor`, `busctl monitor`: the rest of their uses is nothing of the kind."""
    return told_without_end(call) if any(word.text == "monitor" for word in call.operands()) else None
