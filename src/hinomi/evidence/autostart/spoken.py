"""Commands that start by themselves, read as the scripts they are: a unit's `sh -c …`, a line of cron, a Run key."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.scripts.analysis import analyse
from hinomi.evidence.scripts.detect import Language
from hinomi.model.errors import ParseError
from hinomi.model.tables import Row
from hinomi.model.tables.host import Persistence

MAX_COMMAND = 64 << 10
# Those whose command stands in no script that is read by itself.
_UNIX = frozenset(
    "systemd-unit cron anacron inittab udev xdg-autostart authorized-keys launch-agent launch-daemon pam motd".split()
)
_WINDOWS = frozenset("run-key service scheduled-task wmi-consumer startup-folder".split())
_SAYS_MORE = re.compile(r"[|;&<>`]|\$\(|(?:^|[\s/])(?:nc|ncat|netcat|socat|openssl|curl|wget)\s|\s-\w*[ce]\s")
_POWERSHELL = re.compile(r"(?i)\b(?:powershell|pwsh)(?:\.exe)?\b[\"']?\s+\S")


def spoken(row: Persistence) -> Iterator[Row]:
    """Yield the script row and the actions of a command that does more than start one program.

    Their path is the file's with the mechanism and the line behind it: `/etc/cron.d/x » cron:3`.
    """
    language = _language(row)
    if language is None or not 0 < len(row.command) <= MAX_COMMAND:
        return
    path = f"{row.path} » {row.mechanism}:{row.line or row.name or 1}"
    try:
        found = analyse(path, row.command.encode("utf-8", "surrogateescape"), language=language)
    except ParseError:
        return
    if found.actions:
        yield found.script
        yield from found.actions


def _language(row: Persistence) -> Language | None:
    if row.mechanism in _UNIX and _SAYS_MORE.search(row.command):
        return "shell"
    return "powershell" if row.mechanism in _WINDOWS and _POWERSHELL.search(row.command) else None
