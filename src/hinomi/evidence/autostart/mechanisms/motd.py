"""Programs that write the message of the day when someone logs in."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.rows import file_row
from hinomi.evidence.autostart.site import Site
from hinomi.model.tables.host import Persistence


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program."""
    for path in site.files(b"/etc/update-motd.d", b"/usr/lib/update-motd.d"):
        yield file_row(site, "motd", path, user="root", trigger="login", enabled=site.is_executable(path))
