"""Findings as kept in a case: when each was first and last seen, and in which run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import Engine, insert, select, update

from hinomi.model.findings import Finding, finding_from
from hinomi.store.schema import FINDINGS
from hinomi.store.state import sole_writer


class FindingStore:
    """Findings in the state database, one row per stable id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, findings: Iterable[Finding], run_id: str, seen: str) -> list[Finding]:
        """Store what a run found and return the findings with their first and last sighting filled in."""
        kept = []
        with sole_writer(self._engine, FINDINGS) as connection:
            for finding in findings:
                query = select(FINDINGS.c.first_seen).where(FINDINGS.c.id == finding.id)
                first = connection.execute(query).scalar()
                whole = replace(finding, first_seen=first or seen, last_seen=seen, run=run_id)
                values = {"run_id": run_id, "severity": whole.severity, "body": whole.to_json(), "last_seen": seen}
                if first:
                    connection.execute(update(FINDINGS).where(FINDINGS.c.id == whole.id).values(**values))
                else:
                    values |= {"id": whole.id, "target": whole.target, "rule_id": whole.rule_id, "first_seen": seen}
                    connection.execute(insert(FINDINGS).values(**values))
                kept.append(whole)
        return kept

    def of_run(self, run_id: str) -> list[Finding]:
        """Return the findings that a run saw, in stable order."""
        with self._engine.connect() as connection:
            query = select(FINDINGS.c.body).where(FINDINGS.c.run_id == run_id).order_by(FINDINGS.c.id)
            return [finding_from(body) for body in connection.execute(query).scalars()]
