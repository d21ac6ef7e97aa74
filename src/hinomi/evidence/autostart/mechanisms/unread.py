"""Places that start programs and whose format is not read yet: said in the coverage wherever one is found."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart.site import Site
from hinomi.evidence.autostart.windows import find_path
from hinomi.model.tables.host import Persistence
from hinomi.model.text import path_text

_PLACES = (
    ((b"Windows", b"System32", b"wbem", b"Repository", b"OBJECTS.DATA"), "WMI event consumers"),
    ((b"private", b"var", b"db", b"com.apple.backgroundtaskmanagement"), "login items"),
    ((b"Library", b"Preferences", b"com.apple.loginwindow.plist"), "log-in hooks"),
)


def find(site: Site) -> Iterator[Persistence]:
    """Yield nothing; record each place that stands in the target."""
    for parts, what in _PLACES:
        path = find_path(site, *parts)
        if path is not None:
            site.coverage.miss(site.area, path_text(path), "unsupported", f"{what} are not read")
    yield from ()
