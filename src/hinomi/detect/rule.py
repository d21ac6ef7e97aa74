"""What a rule is: its words, what it claims to find, and its body in the language of its kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from hinomi.model.findings import SEVERITIES, RuleKind, Severity, SubjectType
from hinomi.model.text import Bilingual

STATUSES = ("experimental", "test", "stable", "deprecated")
SUBJECT_TYPES: tuple[str, ...] = get_args(SubjectType)
ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{1,79}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look for.

    `body` is the SQL text, the YARA source or the OSV record as JSON text. `threats` are public names of malware or
    actors known for the behaviour; a rule finds the behaviour whatever the names.
    """

    id: str
    kind: RuleKind
    title: Bilingual
    explanation: Bilingual
    falsepositives: Bilingual
    severity: Severity
    confidence: int
    subject_type: SubjectType
    body: str
    path: Path
    behaviours: tuple[str, ...] = ()
    attack: tuple[str, ...] = ()
    threats: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()
    status: str = "stable"
    author: str = ""
    licence: str = ""
    memory: bool | None = None  # YARA: whether it may be asked of memory; None where the rule does not say

    @property
    def active(self) -> bool:
        """Whether scans run it."""
        return self.status != "deprecated"

    @property
    def cases_path(self) -> Path:
        """Where its cases stand."""
        return self.path.with_name(f"{self.id}.cases.yml")

    def to_json(self) -> dict[str, Any]:
        """Return what `rule list --format json` prints: everything but the body."""
        return {
            "id": self.id, "kind": self.kind, "title": self.title.to_json(), "explanation": self.explanation.to_json(),
            "falsepositives": self.falsepositives.to_json(), "severity": self.severity, "confidence": self.confidence,
            "subject_type": self.subject_type, "behaviours": list(self.behaviours), "attack": list(self.attack),
            "threats": list(self.threats), "references": list(self.references), "responses": list(self.responses),
            "status": self.status, "author": self.author, "licence": self.licence,
        }  # fmt: skip


def is_severity(value: object) -> bool:
    """Tell whether `value` is one of the five words."""
    return value in SEVERITIES
