"""Advisories that people imported, by the package they are about, and which weaknesses are known to be exploited."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select

from hinomi.store.schema import ADVISORIES, EXPLOITED

CHUNK = 400  # names and rows in one statement; SQLite bounds its parameters


class AdvisoryStore:
    """OSV records and the exploited catalogue in the state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, records: Iterable[tuple[dict[str, Any], Collection[tuple[str, str]]]], source: str) -> int:
        """Keep OSV records with the (ecosystem, name) pairs each is about, in place of older ones; return how many."""
        kept = 0
        with self._engine.begin() as connection:
            walk = iter(records)
            while chunk := list(islice(walk, CHUNK)):
                kept += _replace(connection, chunk, source)
        return kept

    def keep_exploited(self, entries: Iterable[tuple[str, str, bool]], source: str) -> int:
        """Keep (CVE, date added, used by ransomware) as the whole catalogue; return how many."""
        rows = {
            cve: {"cve": cve, "added": added, "ransomware": ransomware, "source": source}
            for cve, added, ransomware in entries
        }
        with self._engine.begin() as connection:
            connection.execute(delete(EXPLOITED))
            for chunk in _chunks(list(rows.values())):
                connection.execute(insert(EXPLOITED), chunk)
        return len(rows)

    def matching(self, names: Collection[tuple[str, str]]) -> Iterator[dict[str, Any]]:
        """Yield the records about any of the (ecosystem, name) pairs, each once, in order of their ids."""
        by_ecosystem: dict[str, list[str]] = {}
        for ecosystem, name in sorted(names):
            by_ecosystem.setdefault(ecosystem, []).append(name)
        found: dict[str, dict[str, Any]] = {}
        with self._engine.connect() as connection:
            for ecosystem, listed in by_ecosystem.items():
                for chunk in _chunks(listed):
                    about = ADVISORIES.c.ecosystem == ecosystem, ADVISORIES.c.name.in_(chunk)
                    query = select(ADVISORIES.c.id, ADVISORIES.c.record).where(*about)
                    found.update((row.id, row.record) for row in connection.execute(query))
        return (found[key] for key in sorted(found))

    def exploited(self, ids: Collection[str]) -> Mapping[str, str]:
        """Return the date since which each of these CVEs is known to be exploited; the others are left out."""
        with self._engine.connect() as connection:
            return {
                row.cve: row.added
                for chunk in _chunks(sorted(ids))
                for row in connection.execute(select(EXPLOITED).where(EXPLOITED.c.cve.in_(chunk)))
            }

    def counts(self) -> tuple[int, int]:
        """Return how many advisories and how many exploited weaknesses are kept."""
        with self._engine.connect() as connection:
            records = connection.scalar(select(func.count(func.distinct(ADVISORIES.c.id))))
            return records or 0, connection.scalar(select(func.count()).select_from(EXPLOITED)) or 0


def _replace(
    connection: Connection, chunk: list[tuple[dict[str, Any], Collection[tuple[str, str]]]], source: str
) -> int:
    latest = {str(record["id"]): (record, names) for record, names in chunk}
    connection.execute(delete(ADVISORIES).where(ADVISORIES.c.id.in_(list(latest))))
    rows = [
        {"id": key, "ecosystem": ecosystem, "name": name, "source": source, "record": record}
        for key, (record, names) in latest.items()
        for ecosystem, name in sorted(set(names))
    ]
    for part in _chunks(rows):
        connection.execute(insert(ADVISORIES), part)
    return sum(bool(names) for _, names in latest.values())


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
