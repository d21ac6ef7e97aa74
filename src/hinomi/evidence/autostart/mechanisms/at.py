"""Jobs of at(1): scripts that restore an environment, change folder and run what the user typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from hinomi.evidence.autostart.rows import command_rows
from hinomi.evidence.autostart.site import Site, content_lines
from hinomi.evidence.identity.passwd import parse_passwd
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_text

_FOLDERS = (
    b"/var/spool/cron/atjobs", b"/var/spool/at", b"/var/spool/atjobs", b"/var/at/jobs", b"/private/var/at/jobs",
)  # fmt: skip
_NAME = re.compile(rb"([=a-zA-Z])([0-9a-f]{5})([0-9a-f]{8})$")
_UID = re.compile(r"# atrun uid=(\d{1,10})")
_EXPORTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program of every pending job."""
    names = {account.uid: account.name for account in parse_passwd(site.text(b"/etc/passwd") or "")}
    for path in site.files(*_FOLDERS):
        match = _NAME.match(path.rsplit(b"/", 1)[-1])
        if match is None:
            continue
        when = datetime.fromtimestamp(int(match.group(3), 16) * 60, UTC).isoformat()
        text = site.text(path) or ""
        owner = _UID.search(text[:2000])
        user = names.get(int(owner.group(1))) if owner else None
        for number, line in content_lines(text):
            if not _is_prologue(line):
                yield from command_rows(
                    site, "at", path, line, line=number, name=path_text(match.group(0)), user=user,
                    trigger="schedule", schedule=when, enabled=match.group(1) != b"=",
                )  # fmt: skip


def _is_prologue(line: str) -> bool:
    """Whether at(1) itself wrote the line: the environment, the folder to work in, the shell for the rest."""
    if line in ("}", "exit 1") or line.startswith(("umask ", "${SHELL:-/bin/sh} <<", "echo 'Execution directory ")):
        return True
    return (line.startswith("cd ") and line.endswith("{")) or (bool(_EXPORTED.match(line)) and "; export " in line)
