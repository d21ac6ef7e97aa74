"""Scripts of System V init, OpenRC, BSD rc.d, runit and s6: each is run as it stands, and starts programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.rows import file_row, script_rows
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence

_FOLDERS = (
    b"/etc/init.d", b"/etc/rc.d/init.d", b"/etc/rc.d", b"/usr/local/etc/rc.d", b"/usr/local/etc/init.d",
    b"/opt/etc/init.d",
)  # fmt: skip
_LEVELS = tuple(
    base + b"rc" + level + b".d" for base in (b"/etc/", b"/etc/rc.d/") for level in (b"0", *b"1 2 3 4 5 6 S".split())
)
_LINK = re.compile(rb"([SK])\d{1,3}(.+)$")
_NOT_SCRIPTS = frozenset({b"README", b"functions", b"rcS", b"rc", b"skeleton", b"functions.sh", b"Makefile"})
_SERVICES = (
    b"/etc/service", b"/service", b"/var/service", b"/etc/sv", b"/etc/services.d", b"/etc/s6/services",
    b"/etc/s6-overlay/s6-rc.d", b"/etc/runit/runsvdir/default", b"/run/service",
)  # fmt: skip
_PLAIN = (b"/etc/local.d", b"/etc/cont-init.d", b"/etc/s6-overlay/scripts", b"/etc/boot.d", b"/etc/init.boot")
_STAGES = (b"/etc/runit/1", b"/etc/runit/2", b"/etc/runit/3", b"/etc/s6/init/stage2")


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per script and per program started by it."""
    seen: set[bytes] = set()
    enabled = _enabled(site)
    for path, switched_on in _scripts(site, enabled):
        resolved = site.resolve(path)
        if resolved is None or resolved in seen:
            continue
        seen.add(resolved)
        yield from _rows(site, path, switched_on)


def _rows(site: Site, path: bytes, enabled: bool | None) -> Iterator[Persistence]:
    try:
        head = site.view.read(path, 64)
    except OSError as error:
        site.lost(path, error)
        return
    yield file_row(site, "init-script", path, user="root", trigger="boot", enabled=enabled)
    if not head.startswith(b"\x7fELF"):
        yield from script_rows(site, "init-script", path, functions=True, user="root", trigger="boot", enabled=enabled)


def _scripts(site: Site, enabled: dict[bytes, bool]) -> Iterator[tuple[bytes, bool | None]]:
    for path in site.files(*_FOLDERS):
        name = path.rsplit(b"/", 1)[-1]
        if name not in _NOT_SCRIPTS and not name.startswith(b"rc."):
            yield path, enabled.get(name, False if enabled else None)
    for path in site.files(*_LEVELS):  # a link counts as its script above; a plain file in a level stands here
        match = _LINK.match(path.rsplit(b"/", 1)[-1])
        if match:
            yield path, match.group(1) == b"S"
    for path in site.files(*_PLAIN):
        yield path, site.is_executable(path)
    yield from _supervised(site)


def _supervised(site: Site) -> Iterator[tuple[bytes, bool | None]]:
    """Scripts of runit and s6: one per service folder, and the stages of the boot itself."""
    for folder in _SERVICES:
        for name in site.names(folder):
            for part in (b"run", b"up", b"log/run"):
                path = folder + b"/" + name + b"/" + part
                if site.is_file(path):
                    yield path, folder != b"/etc/sv"
    for path in _STAGES:
        if site.is_file(path):
            yield path, True


def _enabled(site: Site) -> dict[bytes, bool]:
    """Return which scripts a run level starts, by name; empty where the target keeps no run levels."""
    found: dict[bytes, bool] = {}
    for folder in _LEVELS:
        for name in site.names(folder):
            match = _LINK.match(name)
            if match:
                found[match.group(2)] = found.get(match.group(2), False) or match.group(1) == b"S"
    for level in site.names(b"/etc/runlevels"):
        for name in site.names(b"/etc/runlevels/" + level):
            found[name] = True
    return found
