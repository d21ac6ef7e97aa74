"""The store's tests run twice: with the state in the case's own SQLite file, and on a PostgreSQL server of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hinomi.model.clock import Clock, system_clock
from hinomi.store.case import Case, CasePlace

Open = Callable[..., Case]


@dataclass
class Opening:
    """Opens cases whose state is where the test's turn wants it: the same folder, the same state."""

    server: Any
    urls: dict[Path, str] = field(default_factory=dict)

    def __call__(self, folder: Path, clock: Clock = system_clock) -> Case:
        return Case.open(self.place(folder), clock)

    def place(self, folder: Path) -> CasePlace:
        return CasePlace(folder, self.state(folder))

    def state(self, folder: Path) -> str | None:
        if self.server is not None and folder not in self.urls:
            self.urls[folder] = self.server.database()
        return self.urls.get(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def open_case(request: pytest.FixtureRequest) -> Opening:
    """How a test opens its case: `open_case(folder, clock)`."""
    return Opening(request.getfixturevalue("postgresql") if request.param == "postgresql" else None)
