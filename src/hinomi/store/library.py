"""The library: reports and their claims, kept with who decided what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, select, update

from hinomi.model.claims import Claim, ClaimStatus, Relation, Report, Section
from hinomi.model.clock import Clock
from hinomi.store.schema import CLAIMS, RELATIONS, REPORTS


class Library:
    """Reports and claims in the state database."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, report: Report) -> None:
        """Keep a report; reading it again replaces its claims but keeps what people decided about them."""
        decided = {c.id: c for c in self.claims(report.id) if c.status != "suggested"}
        with self._engine.begin() as connection:
            connection.execute(delete(RELATIONS).where(RELATIONS.c.report_id == report.id))
            connection.execute(delete(CLAIMS).where(CLAIMS.c.report_id == report.id))
            connection.execute(delete(REPORTS).where(REPORTS.c.id == report.id))
            connection.execute(insert(REPORTS).values(**self._report_values(report)))
            if report.claims:
                connection.execute(
                    insert(CLAIMS), [_claim_values(report.id, n, c, decided) for n, c in _n(report.claims)]
                )
            if report.relations:
                connection.execute(
                    insert(RELATIONS), [_relation_values(report.id, n, r) for n, r in _n(report.relations)]
                )

    def get(self, report_id: str) -> Report | None:
        """Return a report by its id or an unambiguous beginning of it."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(REPORTS).where(REPORTS.c.id.startswith(report_id, autoescape=True))).all()
            if len(rows) != 1:
                return None
            relations = connection.execute(
                select(RELATIONS).where(RELATIONS.c.report_id == rows[0].id).order_by(RELATIONS.c.position)
            ).all()
        return _report_of(rows[0], self.claims(rows[0].id), relations)

    def reports(self) -> list[Report]:
        """Return every report, in the order they were read."""
        with self._engine.connect() as connection:
            ids = connection.execute(select(REPORTS.c.id).order_by(REPORTS.c.read_at, REPORTS.c.id)).scalars().all()
        return [report for report in map(self.get, ids) if report]

    def claims(self, report_id: str) -> tuple[Claim, ...]:
        """Return a report's claims in the order of the text."""
        with self._engine.connect() as connection:
            query = select(CLAIMS).where(CLAIMS.c.report_id == report_id).order_by(CLAIMS.c.position)
            return tuple(_claim_of(row) for row in connection.execute(query))

    def decide(self, report_id: str, claim_id: str, status: ClaimStatus, *, who: str, why: str) -> bool:
        """Accept or reject a claim; False where there is no such claim."""
        changed = (
            update(CLAIMS)
            .where(CLAIMS.c.report_id == report_id, CLAIMS.c.id == claim_id)
            .values(status=status, decided_by=who, decided_at=self._clock().isoformat(), decided_why=why)
        )
        with self._engine.begin() as connection:
            return connection.execute(changed).rowcount > 0

    def _report_values(self, report: Report) -> dict[str, Any]:
        return {
            "id": report.id, "source": report.source, "title": report.title, "language": report.language,
            "published": report.published, "text": report.text, "sections": [s.to_json() for s in report.sections],
            "sha256": report.sha256, "media_type": report.media_type, "notes": list(report.notes),
            "read_at": self._clock().isoformat(),
        }  # fmt: skip


def _n(items: Sequence[Any]) -> Iterable[tuple[int, Any]]:
    return enumerate(items)


def _claim_values(report_id: str, position: int, claim: Claim, decided: dict[str, Claim]) -> dict[str, Any]:
    status = decided[claim.id].status if claim.id in decided else claim.status
    return {
        "report_id": report_id, "id": claim.id, "position": position, "type": claim.type, "value": claim.value,
        "canonical": claim.canonical, "text": claim.text, "span_start": claim.span[0], "span_end": claim.span[1],
        "role": claim.role, "section": claim.section, "confidence": claim.confidence, "status": status,
        "why": claim.why, "attributes": claim.attributes,
    }  # fmt: skip


def _relation_values(report_id: str, position: int, relation: Relation) -> dict[str, Any]:
    return {
        "report_id": report_id, "position": position, "from_id": relation.from_id, "type": relation.type,
        "to_id": relation.to_id, "span_start": relation.span[0], "span_end": relation.span[1],
        "confidence": relation.confidence,
    }  # fmt: skip


def _claim_of(row: Row[Any]) -> Claim:
    return Claim(
        id=row.id, type=row.type, value=row.value, canonical=row.canonical, text=row.text,
        span=(row.span_start, row.span_end), role=row.role, section=row.section, confidence=row.confidence,
        status=row.status, why=row.why, attributes=row.attributes,
    )  # fmt: skip


def _report_of(row: Row[Any], claims: tuple[Claim, ...], relations: Sequence[Row[Any]]) -> Report:
    return Report(
        id=row.id, source=row.source, title=row.title, language=row.language, published=row.published, text=row.text,
        sections=tuple(Section(s["heading"], s["role"], (s["span"][0], s["span"][1])) for s in row.sections),
        claims=claims,
        relations=tuple(
            Relation(r.from_id, r.type, r.to_id, (r.span_start, r.span_end), r.confidence) for r in relations
        ),
        sha256=row.sha256, media_type=row.media_type, notes=tuple(row.notes),
    )  # fmt: skip
