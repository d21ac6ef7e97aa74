"""cron, anacron and at of every layout: system tables, spools per user, folders run each hour or day."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.rows import command_rows, file_row, preload_rows
from hinomi.evidence.autostart.site import SEARCH_PATH, Site, content_lines
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_bytes, path_text

_SYSTEM_TABLES = (b"/etc/crontab", b"/etc/cron.conf")
_SYSTEM_FOLDERS = (b"/etc/cron.d", b"/usr/lib/cron.d", b"/usr/local/etc/cron.d")
_SPOOLS = (
    b"/var/spool/cron/crontabs", b"/var/spool/cron/tabs", b"/var/spool/cron", b"/var/cron/tabs", b"/etc/crontabs",
    b"/etc/cron/crontabs", b"/usr/lib/cron/tabs", b"/var/at/tabs", b"/private/var/at/tabs", b"/private/var/cron/tabs",
)  # fmt: skip
_PERIODS = {b"hourly": "@hourly", b"daily": "@daily", b"weekly": "@weekly", b"monthly": "@monthly", b"15min": "*/15"}
_FIELD = re.compile(r"[0-9A-Za-z*/,~?#-]{1,100}$")
_ASSIGNMENT = re.compile(r"\s*[\"']?([A-Za-z_][A-Za-z0-9_]*)[\"']?\s*=\s*(.*)$")
_NOT_RUN = re.compile(rb".*(~|,v|\.bak|\.swp|\.dpkg-(old|new|dist|tmp)|\.rpm(save|new|orig))$|\.placeholder$")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program of every job."""
    for path in (*_SYSTEM_TABLES, *site.files(*_SYSTEM_FOLDERS)):
        if not _NOT_RUN.match(path.rsplit(b"/", 1)[-1]):
            yield from _table(site, path, user=None)
    for path in site.files(*_SPOOLS):
        user = path_text(path.rsplit(b"/", 1)[-1])
        if not user.startswith(".") and user not in ("cron.update", "cron.deny", "cron.allow"):
            yield from _table(site, path, user=user)
    yield from _period_folders(site)
    yield from _anacron(site)


def _table(site: Site, path: bytes, user: str | None) -> Iterator[Persistence]:
    search: tuple[bytes, ...] = SEARCH_PATH
    for number, line in content_lines(site.text(path) or ""):
        assignment = _ASSIGNMENT.match(line)
        if assignment:
            yield from preload_rows(site, path, number, line, user=user)
            search = _search_path(assignment, search)
            continue
        job = parse_job(line, with_user=user is None)
        if job is None:
            continue
        schedule, account, command = job
        account = account or user
        trigger = "boot" if schedule.lower() == "@reboot" else "schedule"
        yield from preload_rows(site, path, number, command, user=account)
        yield from command_rows(
            site, "cron", path, command, home=site.home_of(account), search=search, line=number, user=account,
            trigger=trigger, schedule=schedule, enabled=True,
        )  # fmt: skip


def _search_path(assignment: re.Match[str], search: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if assignment.group(1) != "PATH":
        return search
    folders = [path_bytes(part) for part in assignment.group(2).strip("\"' ").split(":") if part.startswith("/")]
    return tuple(folders[:50]) or search


def parse_job(line: str, *, with_user: bool) -> tuple[str, str | None, str] | None:
    """Return (schedule, user or None, command) of a crontab line, None where it is no job.

    A table of the system names the user after the five time fields; busybox's and users' tables do not.
    """
    times = 1 if line.startswith("@") else 5
    parts = line.split(None, times + with_user)
    if len(parts) <= times + with_user:
        return None
    if times == 5 and not all(_FIELD.match(part) for part in parts[:5]):
        return None
    schedule = " ".join(parts[:times])
    user = parts[times].split(":")[0] if with_user else None
    return schedule, user, re.split(r"(?<!\\)%", parts[-1], maxsplit=1)[0].strip()


def _period_folders(site: Site) -> Iterator[Persistence]:
    for period, schedule in _PERIODS.items():
        for path in site.files(
            b"/etc/cron." + period, b"/etc/periodic/" + period, b"/usr/local/etc/periodic/" + period
        ):
            if not _NOT_RUN.match(path.rsplit(b"/", 1)[-1]):
                yield file_row(
                    site, "cron", path, user="root", trigger="schedule", schedule=schedule,
                    enabled=site.is_executable(path),
                )  # fmt: skip


def _anacron(site: Site) -> Iterator[Persistence]:
    path = b"/etc/anacrontab"
    for number, line in site.lines(path):
        parts = line.split(None, 3)
        if len(parts) == 4 and "=" not in parts[0]:
            yield from command_rows(
                site, "anacron", path, parts[3], line=number, name=parts[2], user="root", trigger="schedule",
                schedule=f"{parts[0]} {parts[1]}", enabled=True,
            )  # fmt: skip
