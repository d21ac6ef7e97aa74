"""Programs a desktop session starts: XDG autostart entries and KDE's scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.rows import command_rows, file_row
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence

_SYSTEM = (
    b"/etc/xdg/autostart",
    b"/usr/share/autostart",
    b"/usr/share/gnome/autostart",
    b"/usr/local/etc/xdg/autostart",
)
_HOME = (b".config/autostart", b".local/share/autostart", b".kde/Autostart")
_HOME_SCRIPTS = (b".config/autostart-scripts", b".config/plasma-workspace/env", b".config/plasma-workspace/shutdown")
_FIELD_CODES = re.compile(r"%[fFuUdDnNickvm]")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program of every entry."""
    for path in site.files(*_SYSTEM, suffix=b".desktop"):
        yield from _entry(site, path, None, None)
    for home in site.homes:
        for path in site.files(*(home.path + b"/" + folder for folder in _HOME), suffix=b".desktop"):
            yield from _entry(site, path, home.user, home.path)
        for path in site.files(*(home.path + b"/" + folder for folder in _HOME_SCRIPTS)):
            yield file_row(site, "xdg-autostart", path, user=home.user, trigger="login")


def _entry(site: Site, path: bytes, user: str | None, home: bytes | None) -> Iterator[Persistence]:
    keys: dict[str, tuple[int, str]] = {}
    group = ""
    for number, line in site.lines(path):
        if line.startswith("["):
            group = line
        elif group == "[Desktop Entry]" and "=" in line:
            key, _, value = line.partition("=")
            keys.setdefault(key.strip(), (number, value.strip()))
    if "Exec" not in keys:
        return
    number, command = keys["Exec"]
    off = _value(keys, "Hidden") == "true" or _value(keys, "X-GNOME-Autostart-enabled") == "false"
    yield from command_rows(
        site, "xdg-autostart", path, _FIELD_CODES.sub("", command).strip(), home=home, line=number, user=user,
        name=_value(keys, "Name") or None, trigger="login", enabled=not off,
    )  # fmt: skip


def _value(keys: dict[str, tuple[int, str]], name: str) -> str:
    value = keys.get(name, (0, ""))[1]
    return value.lower() if value.lower() in ("true", "false") else value
