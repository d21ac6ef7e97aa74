"""Installed packages of every package manager found: what advisories are compared with."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.packages import load_databases
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.host import Package
from hinomi.model.text import path_text


class PackagesCollector:
    """Fills table `packages`."""

    name = "packages"
    tables: tuple[type[Row], ...] = (Package,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield a row per package and database."""
        for database in load_databases():
            if not database.present(target.view):
                continue
            for package in database.packages(target.view, coverage):
                coverage.count("packages")
                yield Package(
                    manager=package.manager,
                    name=package.name,
                    version=package.version,
                    architecture=package.architecture,
                    source=package.source,
                    purl=package.purl,
                    status=package.status,
                    path=path_text(package.path),
                )


COLLECTOR = PackagesCollector()
