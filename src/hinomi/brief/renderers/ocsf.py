"""OCSF 1.3 Detection Finding (class 2004), one event a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hinomi.brief.document import Document, ScanDocument
from hinomi.model.findings import Finding
from hinomi.model.text import Language

SEVERITY_IDS = {"info": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
SEVERITY_NAMES = {"info": "Informational", "low": "Low", "medium": "Medium", "high": "High", "critical": "Critical"}
CLASS = 2004
CREATE = 1


def render(document: Document, language: Language) -> str:
    """Return one event per finding."""
    assert isinstance(document, ScanDocument)
    return "".join(json.dumps(_event(f, document, language), ensure_ascii=False) + "\n" for f in document.findings)


def _event(finding: Finding, document: ScanDocument, language: Language) -> dict[str, Any]:
    return {
        "activity_id": CREATE, "category_uid": 2, "class_uid": CLASS, "type_uid": CLASS * 100 + CREATE,
        "time": _milliseconds(finding.last_seen or document.made),
        "severity_id": SEVERITY_IDS[finding.severity], "severity": SEVERITY_NAMES[finding.severity],
        "status_id": 1, "confidence_score": finding.confidence,
        "message": finding.explanation.in_language(language),
        "metadata": {
            "version": "1.3.0",
            "product": {"name": "Hinomi", "vendor_name": "Hinomi", "version": document.version},
        },
        "finding_info": {
            "uid": finding.id, "title": finding.title.in_language(language),
            "desc": finding.explanation.in_language(language),
            "analytic": {"uid": finding.rule_id, "name": finding.rule_id, "type": "Rule", "type_id": 1},
            "attacks": [{"technique": {"uid": t}} for t in finding.attack],
            "first_seen_time": _milliseconds(finding.first_seen or document.made),
        },
        "resources": [{"name": finding.target, "type": "target"}],
        "evidences": [{"data": {"subject": finding.subject_key, "rows": [e.to_json() for e in finding.evidence]}}],
    }  # fmt: skip


def _milliseconds(time: str) -> int:
    return int(datetime.fromisoformat(time).astimezone(UTC).timestamp() * 1000)
