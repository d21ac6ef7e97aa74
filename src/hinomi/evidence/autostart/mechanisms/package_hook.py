"""Commands a package manager runs around its work: APT, dpkg, DNF, pacman, apk."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.aptconf import settings
from hinomi.evidence.autostart.rows import command_rows, file_row
from hinomi.evidence.autostart.site import Site, content_lines
from hinomi.model.tables.host import Persistence

_APT_KEY = re.compile(
    r"(dpkg|apt|aptitude|apt::update|unattended-upgrade)::(pre-invoke|post-invoke|post-invoke-success|"
    r"post-invoke-stats|pre-install-pkgs)(::.*)?$"
)
_DPKG_LINE = re.compile(r"(pre-invoke|post-invoke|status-logger)\s*[= ]\s*(.+)$")
_HOOK_EXEC = re.compile(r"Exec\s*=\s*(.+)$")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program of every hook."""
    yield from _apt(site)
    for path in (b"/etc/dpkg/dpkg.cfg", *site.files(b"/etc/dpkg/dpkg.cfg.d")):
        yield from _matching(site, path, _DPKG_LINE, 2)
    for path in site.files(b"/etc/pacman.d/hooks", b"/usr/share/libalpm/hooks", suffix=b".hook"):
        yield from _matching(site, path, _HOOK_EXEC, 1)
    yield from _dnf(site)
    for path in site.files(b"/etc/apk/commit_hooks.d"):
        yield file_row(site, "package-hook", path, user="root", trigger="install", enabled=site.is_executable(path))


def _apt(site: Site) -> Iterator[Persistence]:
    for path in (b"/etc/apt/apt.conf", *site.files(b"/etc/apt/apt.conf.d")):
        for line, name, value in settings(site.text(path) or ""):
            if _APT_KEY.match(name.lower()) and value.strip():
                yield from _row(site, path, line, name.rstrip(":"), value)


def _matching(site: Site, path: bytes, pattern: re.Pattern[str], group: int) -> Iterator[Persistence]:
    for number, line in content_lines(site.text(path) or ""):
        match = pattern.match(line)
        if match:
            yield from _row(site, path, number, None, match.group(group).strip("\"'"))


def _dnf(site: Site) -> Iterator[Persistence]:
    """Actions of DNF (`filter:state:command`) and of libdnf5 (`callback:filter:direction:options:command`)."""
    folders = (
        (b"/etc/dnf/plugins/post-transaction-actions.d", b".action", 2),
        (b"/etc/yum/post-actions", b".action", 2),
        (b"/etc/dnf/libdnf5-plugins/actions.d", b".actions", 4),
    )
    for folder, suffix, colons in folders:
        for path in site.files(folder, suffix=suffix):
            for number, line in site.lines(path):
                parts = line.split(":", colons)
                if len(parts) == colons + 1:
                    yield from _row(site, path, number, parts[0], parts[-1])


def _row(site: Site, path: bytes, line: int, name: str | None, command: str) -> Iterator[Persistence]:
    yield from command_rows(
        site, "package-hook", path, command, line=line, name=name, user="root", trigger="install", enabled=True
    )
