"""The teller that alerts, and one that tells several others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hinomi.flow.watching.telling import Teller
from hinomi.model.errors import ConfigError
from hinomi.model.findings import SEVERITIES, Finding
from hinomi.model.tables.changes import FileChange
from hinomi.model.tables.processes import Process
from hinomi.model.text import Language
from hinomi.store.gaps import Gap
from hinomi.watch.alerts.dispatch import AlertOptions, Dispatcher, Sink
from hinomi.watch.alerts.file import FileSink
from hinomi.watch.alerts.journald import JournaldSink
from hinomi.watch.alerts.message import of_finding, of_gap
from hinomi.watch.alerts.syslog import SyslogSink
from hinomi.watch.alerts.webhook import WebhookSink

FORMS = (
    "journald, syslog=unix:/dev/log, syslog=udp://HOST:PORT, syslog=tcp://HOST:PORT, webhook=URL, slack=URL, file=PATH"
)


class AlertTeller:
    """Turns findings and gaps into alerts (implements `Teller`)."""

    def __init__(self, dispatcher: Dispatcher, host: str, language: Language) -> None:
        self.dispatcher = dispatcher
        self._host = host
        self._language = language

    def change(self, change: FileChange) -> None:
        """A change alone is no alert."""

    def start(self, process: Process) -> None:
        """Nor is a start."""

    def finding(self, finding: Finding, *, new: bool) -> None:
        """Alert of it; the dispatcher knows what was told already."""
        del new
        self.dispatcher.take(of_finding(finding, self._host, self._language))

    def gap(self, gap: Gap) -> None:
        """Alert of it."""
        self.dispatcher.take(of_gap(gap))

    def note(self, word: str, **facts: Any) -> None:
        """Notes are for the terminal; sinks that had to wait are tried again."""
        self.dispatcher.pump()


class Tellers:
    """Tells several (implements `Teller`)."""

    def __init__(self, tellers: Sequence[Teller]) -> None:
        self._tellers = tellers

    def change(self, change: FileChange) -> None:
        """Tell all."""
        for teller in self._tellers:
            teller.change(change)

    def start(self, process: Process) -> None:
        """Tell all."""
        for teller in self._tellers:
            teller.start(process)

    def finding(self, finding: Finding, *, new: bool) -> None:
        """Tell all."""
        for teller in self._tellers:
            teller.finding(finding, new=new)

    def gap(self, gap: Gap) -> None:
        """Tell all."""
        for teller in self._tellers:
            teller.gap(gap)

    def note(self, word: str, **facts: Any) -> None:
        """Tell all."""
        for teller in self._tellers:
            teller.note(word, **facts)


def sink_of(text: str) -> Sink:
    """Return the sink that a word of the configuration names; `ConfigError` for any other."""
    kind, _, where = text.partition("=")
    try:
        match kind:
            case "journald":
                return JournaldSink(where) if where else JournaldSink()
            case "syslog":
                return SyslogSink(where or "unix:/dev/log")
            case "webhook":
                return WebhookSink(where)
            case "slack":
                return WebhookSink(where, "slack")
            case "file" if where:
                return FileSink(where)
    except ValueError as error:
        raise ConfigError("watch.alert", place=text, cause=str(error), next_step=FORMS) from error
    raise ConfigError("watch.alert", place=text, cause="no such kind of alert", next_step=FORMS)


def dispatcher_of(words: Sequence[str], table: Mapping[str, Any]) -> Dispatcher:
    """Return a dispatcher for sinks by word; `table` may have least, again_after and per_minute."""
    default = AlertOptions()
    least = table.get("alert_least", default.least)
    if least not in SEVERITIES:
        raise ConfigError("config.wrong-value", place="[watch] alert_least", cause=str(least))
    options = AlertOptions(
        least, float(table.get("alert_again_after", default.again_after)),
        int(table.get("alert_per_minute", default.per_minute)),
    )  # fmt: skip
    return Dispatcher([sink_of(word) for word in words], options)
