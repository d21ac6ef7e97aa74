"""inittab, of System V (`id:levels:action:process`) and of busybox (`tty::action:process`)."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.rows import command_rows, script_rows
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_bytes

_PATHS = (b"/etc/inittab", b"/usr/etc/inittab", b"/etc_ro/inittab")
_EVENTS = frozenset({"ctrlaltdel", "powerfail", "powerwait", "powerfailnow", "powerokwait", "kbrequest", "shutdown"})
_ACTIONS = _EVENTS | frozenset(
    {"respawn", "askfirst", "wait", "once", "boot", "bootwait", "sysinit", "restart", "ondemand", "off"}
)


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per entry and program; a boot script of the vendor's own that it runs is looked into as well."""
    seen: set[str] = set()
    for path in _PATHS:
        for number, line in site.lines(path):
            for row in _entry(site, path, number, line):
                yield row
                if row.program is not None and row.trigger == "boot" and row.program not in seen:
                    seen.add(row.program)
                    yield from _script(site, path_bytes(row.program))


def _entry(site: Site, path: bytes, number: int, line: str) -> Iterator[Persistence]:
    parts = line.split(":", 3)
    if len(parts) != 4 or parts[2] not in _ACTIONS or not parts[3].strip():
        return
    command = parts[3].strip().lstrip("-+")
    yield from command_rows(
        site, "inittab", path, command, line=number, name=parts[0] or None, user="root",
        trigger="event" if parts[2] in _EVENTS else "boot", schedule=parts[2], enabled=parts[2] != "off",
    )  # fmt: skip


def _script(site: Site, path: bytes) -> Iterator[Persistence]:
    """Rows of a script the entry runs, unless its place already makes it a boot script."""
    name = path.rsplit(b"/", 1)[-1]
    if name.startswith(b"rc") or b"/init.d/" in path or not site.is_file(path):
        return
    try:
        head = site.view.read(path, 2)
    except OSError:
        return
    if head == b"#!":
        yield from script_rows(site, "init-script", path, user="root", trigger="boot", enabled=True)
