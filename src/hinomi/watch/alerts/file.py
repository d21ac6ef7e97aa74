"""Alerts as JSON lines in a file, which may be rotated under us."""

from __future__ import annotations

import json
import os

from hinomi.watch.alerts.message import Alert


class FileSink:
    """Appends to a file; it is opened for each alert, so that log rotation needs no signal."""

    name = "file"

    def __init__(self, path: str) -> None:
        self._path = path

    def send(self, alert: Alert) -> None:
        """Append one line; `OSError` where that fails. A link is not followed, nor a pipe waited for."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            os.write(descriptor, json.dumps(alert.to_json(), ensure_ascii=True).encode("ascii") + b"\n")
        finally:
            os.close(descriptor)
