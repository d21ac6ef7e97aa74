"""Programs that udev runs when a device appears (`RUN+=`, `PROGRAM=`, `IMPORT{program}=`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.rows import command_rows
from hinomi.evidence.autostart.site import SEARCH_PATH, Site
from hinomi.model.tables.host import Persistence

_FOLDERS = (
    b"/etc/udev/rules.d", b"/run/udev/rules.d", b"/usr/local/lib/udev/rules.d", b"/usr/lib/udev/rules.d",
    b"/lib/udev/rules.d",
)  # fmt: skip
_KEY = re.compile(
    r"(?:^|[,\s])(RUN(?:\{program\})?\s*(?:\+=|:=|=)|PROGRAM\s*={1,2}|IMPORT\{program\}\s*={1,2})\s*e?\"((?:[^\"\\]|\\.){0,2000})\""
)
_SEARCH = (b"/usr/lib/udev", b"/lib/udev", *SEARCH_PATH)


def find(site: Site) -> Iterator[Persistence]:
    """Yield a row per program; a file of the same name in an earlier folder overrides a later one."""
    seen: set[bytes] = set()
    for path in site.files(*_FOLDERS, suffix=b".rules"):
        name = path.rsplit(b"/", 1)[-1]
        if name in seen:
            continue
        seen.add(name)
        for number, line in site.joined_lines(path):
            for match in _KEY.finditer(line):
                yield from command_rows(
                    site, "udev", path, match.group(2), search=_SEARCH, line=number, user="root", trigger="event",
                    name=match.group(1).rstrip("+:= "), enabled=True,
                )  # fmt: skip
