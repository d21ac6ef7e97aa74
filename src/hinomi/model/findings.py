"""What detection says: findings, the stories that join them, and the coverage that bounds them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from hinomi.model.text import Bilingual

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")
RuleKind = Literal["sql", "sigma", "yara", "indicator", "advisory", "baseline"]
SubjectType = Literal[
    "file",
    "process",
    "account",
    "persistence",
    "package",
    "library",
    "script",
    "socket",
    "mail",
    "event",
    "host",
]


def severity_rank(severity: Severity) -> int:
    """Return 0 for info … 4 for critical."""
    return SEVERITIES.index(severity)


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """A row that supports a finding: table, row number within the run, and what it shows in one line."""

    table: str
    row: int
    shows: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the contract's evidence object with the row's words beside it."""
        return {"table": self.table, "row": self.row, "shows": self.shows}


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule's hit on one subject of one target."""

    id: str
    rule_id: str
    rule_kind: RuleKind
    title: Bilingual
    explanation: Bilingual
    severity: Severity
    confidence: int
    target: str
    subject_type: SubjectType
    subject_key: str
    evidence: tuple[EvidenceRef, ...] = ()
    behaviours: tuple[str, ...] = ()
    attack: tuple[str, ...] = ()
    threats: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()
    first_seen: str | None = None
    last_seen: str | None = None
    run: str = ""
    related: tuple[str, ...] = ()  # other subject keys the hit names (the twin script, the file started)
    story: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the contract's `hinomi.finding/1` object."""
        result: dict[str, Any] = {
            "schema": "hinomi.finding/1", "id": self.id, "rule": {"id": self.rule_id, "kind": self.rule_kind},
            "title": self.title.to_json(), "explanation": self.explanation.to_json(), "severity": self.severity,
            "confidence": self.confidence, "target": self.target,
            "subject": {"type": self.subject_type, "key": self.subject_key},
            "evidence": [e.to_json() for e in self.evidence], "behaviours": list(self.behaviours),
            "attack": list(self.attack), "threats": list(self.threats), "reports": list(self.reports),
            "responses": list(self.responses), "first_seen": self.first_seen, "last_seen": self.last_seen,
            "related": list(self.related), "story": self.story,
        }  # fmt: skip
        if self.attributes:
            result["attributes"] = self.attributes
        return result


def finding_from(body: dict[str, Any]) -> Finding:
    """Turn a `hinomi.finding/1` object back into a finding."""
    return Finding(
        id=body["id"], rule_id=body["rule"]["id"], rule_kind=body["rule"]["kind"],
        title=Bilingual(**body["title"]), explanation=Bilingual(**body["explanation"]), severity=body["severity"],
        confidence=body["confidence"], target=body["target"], subject_type=body["subject"]["type"],
        subject_key=body["subject"]["key"],
        evidence=tuple(EvidenceRef(e["table"], e["row"], e.get("shows", "")) for e in body["evidence"]),
        behaviours=tuple(body["behaviours"]), attack=tuple(body["attack"]), threats=tuple(body["threats"]),
        reports=tuple(body["reports"]), responses=tuple(body["responses"]), first_seen=body["first_seen"],
        last_seen=body["last_seen"], related=tuple(body.get("related", ())), story=body.get("story"),
        attributes=body.get("attributes", {}),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """Findings of one intrusion on one target, joined by what they touch, in order of the attack."""

    id: str
    target: str
    title: Bilingual
    explanation: Bilingual
    severity: Severity
    confidence: int
    findings: tuple[str, ...]
    threats: tuple[str, ...] = ()
    attack: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the story's JSON object."""
        return {
            "id": self.id, "target": self.target, "title": self.title.to_json(),
            "explanation": self.explanation.to_json(), "severity": self.severity,
            "confidence": self.confidence, "findings": list(self.findings), "threats": list(self.threats),
            "attack": list(self.attack),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Miss:
    """Something that was not examined: what, why, and whether that is transient by nature."""

    area: str  # collector, rule or table
    subject: str
    reason: (
        str  # a code: permission, too-large, unreadable, encrypted, truncated, budget, timeout, vanished, crashed, ...
    )
    detail: str = ""
    transient: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the miss as an object."""
        return {
            "area": self.area,
            "subject": self.subject,
            "reason": self.reason,
            "detail": self.detail,
            "transient": self.transient,
        }


MAX_MISSES_LISTED = 1000


class Coverage:
    """What was examined and what was not; filled by collectors and rules, bounded in memory.

    `examined` counts by kind ("files", "bytes", "processes", "rules", ...). `skipped` counts what was left out by
    design and needs no action (special files, pseudo file systems); it does not make the coverage incomplete.
    `misses` lists what should have been examined and was not; past 1,000 entries only the count grows.
    """

    def __init__(self) -> None:
        self.examined: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.misses: list[Miss] = []

    def count(self, kind: str, number: int = 1) -> None:
        """Count something examined."""
        self.examined[kind] += number

    def skip(self, kind: str, number: int = 1) -> None:
        """Count something left out by design, such as a FIFO."""
        self.skipped[kind] += number

    def miss(self, area: str, subject: str, reason: str, detail: str = "", *, transient: bool = False) -> None:
        """Record something that should have been examined and was not."""
        self.missed[f"{area}:{reason}"] += 1
        if len(self.misses) < MAX_MISSES_LISTED:
            self.misses.append(Miss(area, subject, reason, detail, transient))
        elif not transient:
            self.missed["unlisted"] += 1

    def merge(self, other: Coverage) -> None:
        """Add another coverage to this one."""
        self.examined += other.examined
        self.skipped += other.skipped
        self.missed += other.missed
        self.misses.extend(other.misses[: max(0, MAX_MISSES_LISTED - len(self.misses))])

    @property
    def complete(self) -> bool:
        """Whether nothing but the transient was missed."""
        return not self.missed["unlisted"] and all(miss.transient for miss in self.misses)

    def to_json(self) -> dict[str, Any]:
        """Return the contract's `hinomi.coverage/1` object, in stable order."""
        return {
            "schema": "hinomi.coverage/1", "complete": self.complete, "examined": dict(sorted(self.examined.items())),
            "skipped": dict(sorted(self.skipped.items())), "missed": dict(sorted(self.missed.items())),
            "not_examined": [m.to_json() for m in sorted(self.misses, key=lambda m: (m.area, m.subject, m.reason))],
        }  # fmt: skip
