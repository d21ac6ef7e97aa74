"""The library: reports and their claims, kept with who decided what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, or_, select, update

from hinomi.model.claims import Claim, ClaimStatus, Relation, Report, Section
from hinomi.model.clock import Clock
from hinomi.store.allowed import AllowList
from hinomi.store.schema import CLAIMS, FINDINGS, RELATIONS, REPORTS
from hinomi.store.searching import MAX_SPANS, Snippet, folded, snippets, words_of
from hinomi.store.state import sole_writer

MAX_FOUND = 50
_FROM_REPORTS = frozenset({"indicator", "advisory"})
"""Rules that can be made of what reports say: where such a finding names one report, it rests on that."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a claim: by whom, when and why."""

    claim_id: str
    status: ClaimStatus
    who: str
    at: str
    why: str

    def to_json(self) -> dict[str, str]:
        """Return the decision as an object."""
        return {"claim": self.claim_id, "status": self.status, "who": self.who, "at": self.at, "why": self.why}


@dataclass(frozen=True, slots=True)
class Found:
    """A report that holds every word of a search, with the places."""

    report_id: str
    title: str
    source: str
    language: str
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What left with a report: findings that it alone supported, and those that merely lost a voice."""

    findings: tuple[str, ...]
    weakened: tuple[str, ...]


class Library:
    """Reports and claims in the state database."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.allowed = AllowList(engine, clock)

    def add(self, report: Report) -> None:
        """Keep a report; reading it again replaces its claims but keeps what people decided about them.

        A page that was fetched again and reads otherwise is another report, but what was decided about the same
        claims of the same address holds for it too.
        """
        with sole_writer(self._engine, REPORTS) as connection:
            decided = {d.claim_id: d for d in _decisions(connection, _earlier(connection, report))}
            connection.execute(delete(RELATIONS).where(RELATIONS.c.report_id == report.id))
            connection.execute(delete(CLAIMS).where(CLAIMS.c.report_id == report.id))
            connection.execute(delete(REPORTS).where(REPORTS.c.id == report.id))
            connection.execute(insert(REPORTS).values(**self._report_values(report)))
            if report.claims:
                connection.execute(
                    insert(CLAIMS), [_claim_values(report.id, n, c, decided) for n, c in enumerate(report.claims)]
                )
            if report.relations:
                connection.execute(
                    insert(RELATIONS), [_relation_values(report.id, n, r) for n, r in enumerate(report.relations)]
                )

    def get(self, report_id: str) -> Report | None:
        """Return a report by its id or an unambiguous beginning of it, with or without `report--`."""
        begins = [REPORTS.c.id.startswith(start, autoescape=True) for start in (report_id, f"report--{report_id}")]
        with self._engine.connect() as connection:
            rows = connection.execute(select(REPORTS).where(or_(*begins)).limit(2)).all()
            if len(rows) != 1:
                rows = connection.execute(select(REPORTS).where(REPORTS.c.id == report_id)).all()
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
        """Return a report's claims in the order of the text; allowed values are marked and harmless."""
        with self._engine.connect() as connection:
            query = select(CLAIMS).where(CLAIMS.c.report_id == report_id).order_by(CLAIMS.c.position)
            claims = [_claim_of(row) for row in connection.execute(query)]
        return self.allowed.applied(claims)

    def decisions(self, report_id: str) -> tuple[Decision, ...]:
        """Return what people decided about a report's claims, in the order of the text."""
        with self._engine.connect() as connection:
            return _decisions(connection, report_id)

    def search(self, query: str, *, limit: int = MAX_FOUND) -> list[Found]:
        """Return the reports that hold every word of `query` in title or text, newest first.

        Case, width and other forms of the same letter do not matter; a part of a Japanese word is a word.
        """
        words = words_of(query)
        if not words:
            return []
        has = [REPORTS.c.folded.contains(word, autoescape=True) for word in words]
        wanted = select(REPORTS).where(*has).order_by(REPORTS.c.read_at.desc(), REPORTS.c.id).limit(limit)
        with self._engine.connect() as connection:
            return [_found(row, words) for row in connection.execute(wanted)]

    def remove(self, report_id: str) -> Withdrawn | None:
        """Delete a report and withdraw what it alone supported; None where there is no such report."""
        with sole_writer(self._engine, FINDINGS) as connection:
            if connection.execute(select(REPORTS.c.id).where(REPORTS.c.id == report_id)).first() is None:
                return None
            connection.execute(delete(RELATIONS).where(RELATIONS.c.report_id == report_id))
            connection.execute(delete(CLAIMS).where(CLAIMS.c.report_id == report_id))
            connection.execute(delete(REPORTS).where(REPORTS.c.id == report_id))
            return _withdraw(connection, report_id)

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
            "read_at": self._clock().isoformat(), "folded": folded(f"{report.title}\n{report.text}"),
        }  # fmt: skip


def _earlier(connection: Connection, report: Report) -> str:
    """Return the report whose decisions hold for this one: itself, or the last that was read from its address."""
    query = select(REPORTS.c.id).where(REPORTS.c.id == report.id)
    known = connection.execute(query).first() is not None
    if known or not report.source.startswith(("http://", "https://")):
        return report.id
    same = select(REPORTS.c.id).where(REPORTS.c.source == report.source)
    return connection.execute(same.order_by(REPORTS.c.read_at.desc(), REPORTS.c.id)).scalars().first() or report.id


def _decisions(connection: Connection, report_id: str) -> tuple[Decision, ...]:
    query = select(CLAIMS).where(CLAIMS.c.report_id == report_id, CLAIMS.c.status != "suggested")
    return tuple(
        Decision(r.id, r.status, r.decided_by or "", r.decided_at or "", r.decided_why or "")
        for r in connection.execute(query.order_by(CLAIMS.c.position))
    )


def _found(row: Row[Any], words: tuple[str, ...]) -> Found:
    places = snippets(row.text, words)[:MAX_SPANS] or [Snippet(None, row.title)]
    return Found(row.id, row.title, row.source, row.language, tuple(places))


def _withdraw(connection: Connection, report_id: str) -> Withdrawn:
    """Delete findings that rest on this report alone, and take the report's name off the others."""
    gone, weakened = [], []
    rows = connection.execute(select(FINDINGS.c.id, FINDINGS.c.body).order_by(FINDINGS.c.id)).all()
    for row in rows:
        reports = row.body["reports"]
        if report_id not in reports:
            continue
        if row.body["rule"]["kind"] in _FROM_REPORTS and reports == [report_id]:
            connection.execute(delete(FINDINGS).where(FINDINGS.c.id == row.id))
            gone.append(row.id)
        else:
            body = row.body | {"reports": [r for r in reports if r != report_id]}
            connection.execute(update(FINDINGS).where(FINDINGS.c.id == row.id).values(body=body))
            weakened.append(row.id)
    return Withdrawn(tuple(gone), tuple(weakened))


def _claim_values(report_id: str, position: int, claim: Claim, decided: dict[str, Decision]) -> dict[str, Any]:
    decision = decided.get(claim.id)
    return {
        "report_id": report_id, "id": claim.id, "position": position, "type": claim.type, "value": claim.value,
        "canonical": claim.canonical, "text": claim.text, "span_start": claim.span[0], "span_end": claim.span[1],
        "role": claim.role, "section": claim.section, "confidence": claim.confidence,
        "status": decision.status if decision else claim.status, "why": claim.why, "attributes": claim.attributes,
        "decided_by": decision.who if decision else None, "decided_at": decision.at if decision else None,
        "decided_why": decision.why if decision else None,
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
