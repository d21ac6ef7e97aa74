"""journald by its native protocol: one datagram of fields (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""

from __future__ import annotations

import os
import socket
import tempfile

from hinomi.watch.alerts.message import Alert
from hinomi.watch.alerts.syslog import LEVELS

SOCKET = "/run/systemd/journal/socket"


class JournaldSink:
    """Sends to the local journal; fields beginning with HINOMI_ can be asked for by name."""

    name = "journald"

    def __init__(self, path: str = SOCKET) -> None:
        self._path = path

    def send(self, alert: Alert) -> None:
        """Send one alert; `OSError` where the journal does not take it."""
        data = b"".join(_field(name, value) for name, value in _fields(alert))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            try:
                channel.sendto(data, self._path)
            except OSError as error:
                if error.errno != 90:  # EMSGSIZE: by a file descriptor instead
                    raise
                self._send_file(channel, data)

    def _send_file(self, channel: socket.socket, data: bytes) -> None:
        with tempfile.TemporaryFile(dir="/dev/shm") as file:
            file.write(data)
            file.flush()
            channel.connect(self._path)
            socket.send_fds(channel, [b""], [file.fileno()])


def _fields(alert: Alert) -> list[tuple[str, str]]:
    fields = [
        ("MESSAGE", alert.line()), ("PRIORITY", str(LEVELS[alert.severity])), ("SYSLOG_IDENTIFIER", "hinomi"),
        ("SYSLOG_PID", str(os.getpid())), ("HINOMI_SEVERITY", alert.severity), ("HINOMI_RULE", alert.rule),
        ("HINOMI_SUBJECT", alert.subject), ("HINOMI_KEY", alert.key), ("HINOMI_REPEATS", str(alert.repeats)),
    ]  # fmt: skip
    return fields + [(f"HINOMI_{n.upper()}", str(v)) for n, v in sorted(alert.values.items()) if v not in (None, [])]


def _field(name: str, value: str) -> bytes:
    """Return one field; one with a line end goes by its length, so that it cannot begin another."""
    data = value.encode("utf-8", "backslashreplace")
    if b"\n" in data:
        return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
    return name.encode() + b"=" + data + b"\n"
