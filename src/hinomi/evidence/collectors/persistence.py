"""Everything that makes a program run by itself; each mechanism is one module of `autostart.mechanisms`."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.autostart import Find, Site, load_mechanisms
from hinomi.evidence.autostart.spoken import spoken
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.host import Persistence
from hinomi.model.tables.scripts import Script, ScriptAction

MAX_ROWS = 50_000  # per mechanism


class PersistenceCollector:
    """Asks each mechanism in turn: what one of them loses costs only itself."""

    name = "persistence"
    tables: tuple[type[Row], ...] = (Persistence, Script, ScriptAction)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows in order of mechanism, folder and line; the same start found twice by a mechanism counts once.

        A command that is a script of its own is followed by what it does.
        """
        site = Site(target, coverage)
        for name, find in load_mechanisms():
            yield from _guarded(name, find, site)
            coverage.count("persistence-mechanisms")


def _guarded(name: str, find: Find, site: Site) -> Iterator[Row]:
    seen: set[Persistence] = set()
    try:
        for row in find(site):
            if row in seen:
                continue
            if len(seen) >= MAX_ROWS:
                site.coverage.miss("persistence", name, "too-large", f"more than {MAX_ROWS} rows")
                return
            seen.add(row)
            yield row
            yield from spoken(row)
    except Exception as error:  # noqa: BLE001  # a mechanism is a collector of its own: a border
        site.coverage.miss("persistence", name, "crashed", f"{type(error).__name__}: {error}"[:300])


COLLECTOR = PersistenceCollector()
