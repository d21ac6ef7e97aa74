"""syslog messages by RFC 5424: over a Unix socket, UDP (RFC 5426) or TCP with octet counting (RFC 6587)."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from hinomi.model.findings import Severity
from hinomi.watch.alerts.message import Alert

LEVELS: dict[Severity, int] = {"info": 6, "low": 5, "medium": 4, "high": 3, "critical": 2}
FACILITY = 10  # security and authorization messages, private (authpriv)
SECONDS = 5.0
MAX_DATAGRAM = 2_048
ENTERPRISE = "hinomi@32473"  # the private enterprise number for documentation (RFC 5612)


class SyslogSink:
    """Sends to `unix:/dev/log`, `udp://host:514` or `tcp://host:514`."""

    name = "syslog"

    def __init__(self, where: str) -> None:
        """`ValueError` for an address of none of these forms."""
        self._where = where
        parts = urlsplit(where)
        self._kind = parts.scheme
        self._path = parts.path
        self._address = (parts.hostname or "", parts.port or 514)
        if self._kind not in ("unix", "udp", "tcp") or (self._kind != "unix" and not parts.hostname):
            raise ValueError(f"not unix:PATH, udp://HOST:PORT or tcp://HOST:PORT: {where}")

    def send(self, alert: Alert) -> None:
        """Send one alert; `OSError` where nobody takes it."""
        data = format_message(alert)
        if self._kind == "unix":
            self._to_unix(data)
        elif self._kind == "udp":
            family, kind, protocol, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, kind, protocol) as channel:
                channel.sendto(data[:MAX_DATAGRAM], address)
        else:
            with socket.create_connection(self._address, timeout=SECONDS) as channel:
                channel.sendall(str(len(data)).encode() + b" " + data)

    def _to_unix(self, data: bytes) -> None:
        for kind, frame in ((socket.SOCK_DGRAM, data), (socket.SOCK_STREAM, data + b"\n")):
            with socket.socket(socket.AF_UNIX, kind) as channel:
                channel.settimeout(SECONDS)
                try:
                    channel.connect(self._path)
                except OSError as error:
                    if kind == socket.SOCK_DGRAM and error.errno == 91:  # EPROTOTYPE: it is a stream
                        continue
                    raise
                channel.sendall(frame)
                return


def format_message(alert: Alert) -> bytes:
    """Return the message: header, structured data, text as UTF-8 with its mark."""
    priority = FACILITY * 8 + LEVELS[alert.severity]
    host = "".join(c for c in alert.host if 33 <= ord(c) <= 126)[:255] or "-"
    pairs = {"severity": alert.severity, "rule": alert.rule, "subject": alert.subject, "key": alert.key,
             "repeats": str(alert.repeats)}  # fmt: skip
    structured = f"[{ENTERPRISE} " + " ".join(f'{n}="{_escaped(v)}"' for n, v in pairs.items()) + "]"
    kind = "".join(c for c in alert.rule if 33 <= ord(c) <= 126)[:32] or "-"
    head = f"<{priority}>1 {alert.at or '-'} {host} hinomi {os.getpid()} {kind} {structured} "
    return head.encode("utf-8", "backslashreplace") + b"\xef\xbb\xbf" + alert.line().encode("utf-8", "backslashreplace")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
