"""While a host is looked at: what its processes do that the learned profile does not know."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hinomi.model.errors import HinomiError
from hinomi.model.findings import Coverage
from hinomi.model.tables.processes import Process, Socket

if TYPE_CHECKING:
    from hinomi.model.tables import Row
    from hinomi.model.tables.processes import Deviation
    from hinomi.store.case import Case
    from hinomi.watch.profile.profile import Profile

FOLDER = "profiles"


def profile_path(case: Case, host: str) -> Path:
    """Return where a case keeps the profile of a host."""
    return case.path / FOLDER / f"{quote(host, safe='')[:200]}.json"


@dataclass
class Habits:
    """Takes the rows of one look and tells what the profile lacks; without a profile it does nothing."""

    profile: Profile | None = None
    _processes: list[dict[str, Any]] = field(default_factory=list)
    _sockets: list[dict[str, Any]] = field(default_factory=list)

    def see(self, row: Row) -> None:
        """Take a row of any table."""
        if self.profile is None:
            return
        if isinstance(row, Process):
            self._processes.append(vars(row) | {"row": len(self._processes)})
        elif isinstance(row, Socket):
            self._sockets.append(vars(row))

    def deviations(self) -> Iterator[Deviation]:
        """Yield what the profile lacks, by process."""
        if self.profile is None:
            return
        from hinomi.watch.profile.deviations import deviations
        from hinomi.watch.profile.sighting import Look, sightings

        seen = sightings(self._processes, self._sockets)
        others = tuple(one for one in seen if one.pid != os.getpid())  # we are no habit, but a parent like any other
        yield from deviations(self.profile, Look("now", others))


def remembered(case: Case, host: str, coverage: Coverage) -> Habits:
    """Return the habits of a live host by the case's profile of it; one whose seal does not hold is a miss."""
    path = profile_path(case, host)
    if not path.exists():
        return Habits()
    from hinomi.watch.profile.sealed import read_sealed

    try:
        return Habits(read_sealed(path).profile)
    except HinomiError as error:
        coverage.miss("profile", str(path), "unreadable", error.code)
        return Habits()
