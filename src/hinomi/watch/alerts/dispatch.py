"""Who gets which alert: the grave enough, each once in a while, not too many at once, and none forgotten in the count.

Nothing blocks the watch: a sink that does not answer is tried again later, from a queue of bounded length.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hinomi.model.findings import Severity, severity_rank
from hinomi.watch.alerts.message import Alert

MAX_KEYS = 20_000
MAX_QUEUE = 1_000


class Sink(Protocol):
    """A way out."""

    name: str

    def send(self, alert: Alert) -> None:
        """Hand over one alert; `OSError` where it is not taken."""


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """Which alerts go out. Times in seconds."""

    least: Severity = "medium"
    again_after: float = 3600.0  # the same alert is sent once in this time; the rest is counted
    per_minute: int = 30  # to one sink; the rest is counted and summed up in one message


@dataclass(slots=True)
class _Line:
    """One sink with what waits for it."""

    sink: Sink
    queue: deque[Alert]
    sent: deque[float]  # when, in the last minute (monotonic)
    failures: int = 0
    retry_at: float = 0.0
    held: int = 0  # over the rate, not yet told
    error: str = ""


class Dispatcher:
    """Sends alerts to all sinks. Call `pump` now and then: it sends what had to wait."""

    def __init__(
        self, sinks: Sequence[Sink], options: AlertOptions, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._lines = [_Line(sink, deque(maxlen=None), deque()) for sink in sinks]
        self._options = options
        self._monotonic = monotonic
        self._last: OrderedDict[str, tuple[float, int]] = OrderedDict()  # key: when sent, how many held back since

    def take(self, alert: Alert) -> None:
        """Take an alert: send it, or count it."""
        if not self._lines or severity_rank(alert.severity) < severity_rank(self._options.least):
            return
        now = self._monotonic()
        sent, held = self._last.pop(alert.key, (float("-inf"), 0))
        if now - sent < self._options.again_after:
            self._last[alert.key] = (sent, held + 1)
            return
        self._last[alert.key] = (now, 0)
        if len(self._last) > MAX_KEYS:
            self._last.popitem(last=False)
        for line in self._lines:
            self._queue(line, replace(alert, repeats=held))
        self.pump()

    def _queue(self, line: _Line, alert: Alert) -> None:
        if len(line.queue) >= MAX_QUEUE:
            line.queue.popleft()
            line.held += 1
        line.queue.append(alert)

    def pump(self) -> None:
        """Send what waits, as far as rates and answers allow."""
        for line in self._lines:
            self._pump(line)

    def _pump(self, line: _Line) -> None:
        now = self._monotonic()
        while line.sent and now - line.sent[0] >= 60.0:
            line.sent.popleft()
        while (line.queue or line.held) and now >= line.retry_at:
            if len(line.sent) >= self._options.per_minute:
                line.held += len(line.queue)
                line.queue.clear()
                return
            alert = self._next(line)
            try:
                line.sink.send(alert)
            except OSError as error:
                line.failures += 1
                line.error = str(error)
                line.retry_at = now + min(300.0, 2.0**line.failures)
                line.queue.appendleft(alert)
                return
            line.sent.append(now)
            line.failures, line.error = 0, ""

    @staticmethod
    def _next(line: _Line) -> Alert:
        """Return the next alert; before the queue, one that says how many were held back."""
        if not line.held:
            return line.queue.popleft()
        held, line.held = line.held, 0
        text = f"{held} alerts were held back by the limit per minute; hinomi watch status has them all"
        sample = line.queue[0] if line.queue else None
        host, at = (sample.host, sample.at) if sample else ("", "")
        return Alert("held-back", "medium", text, host, at, "watch-alerts", "", {"held_back": held})

    def state(self) -> list[dict[str, object]]:
        """Return each sink's state: what waits, and why."""
        return [
            {"sink": line.sink.name, "waiting": len(line.queue), "held_back": line.held, "failures": line.failures,
             "error": line.error} for line in self._lines
        ]  # fmt: skip
