"""Programs systemd runs as they lie in a folder: generators, sleep and shutdown hooks, environment generators."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.rows import file_row
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence

_BASES = (b"/etc/systemd", b"/run/systemd", b"/usr/local/lib/systemd", b"/usr/lib/systemd", b"/lib/systemd")
_KINDS = {
    b"system-generators": "boot",
    b"user-generators": "login",
    b"system-environment-generators": "boot",
    b"user-environment-generators": "login",
    b"system-sleep": "event",
    b"system-shutdown": "event",
}


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program."""
    for kind, trigger in _KINDS.items():
        for path in site.files(*(base + b"/" + kind for base in _BASES)):
            if site.is_executable(path):
                yield file_row(site, "systemd-generator", path, trigger=trigger, user="root", enabled=True)
