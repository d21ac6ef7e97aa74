"""SARIF 2.1.0 (OASIS): one run, a result per finding."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hinomi.brief.document import Document, ScanDocument
from hinomi.model.findings import Finding
from hinomi.model.text import Language

LEVELS = {"info": "note", "low": "note", "medium": "warning", "high": "error", "critical": "error"}


def render(document: Document, language: Language) -> str:
    """Return a SARIF log."""
    assert isinstance(document, ScanDocument)
    rules = {f.rule_id: f for f in document.findings}
    run = {
        "tool": {
            "driver": {
                "name": "Hinomi",
                "version": document.version,
                "rules": [_rule(f, language) for _, f in sorted(rules.items())],
            }
        },
        "results": [_result(f, language) for f in document.findings],
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [_notification(m) for m in document.coverage.to_json()["not_examined"]],
            }
        ],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _rule(finding: Finding, language: Language) -> dict[str, Any]:
    return {
        "id": finding.rule_id,
        "shortDescription": {"text": finding.title.in_language(language)},
        "properties": {"tags": [*finding.attack, *finding.behaviours], "kind": finding.rule_kind},
    }


def _result(finding: Finding, language: Language) -> dict[str, Any]:
    path = finding.subject_key.split(" » ")[0].lstrip("/")
    return {
        "ruleId": finding.rule_id,
        "level": LEVELS[finding.severity],
        "message": {"text": finding.explanation.in_language(language)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": quote(path), "uriBaseId": "TARGET"}},
                "logicalLocations": [{"fullyQualifiedName": finding.subject_key, "kind": finding.subject_type}],
            }
        ],
        "partialFingerprints": {"hinomiFindingId/v1": finding.id},
        "rank": finding.confidence,
        "properties": {"severity": finding.severity, "target": finding.target, "threats": list(finding.threats)},
    }


def _notification(miss: dict[str, Any]) -> dict[str, Any]:
    said = f"not examined: {miss['area']}: {miss['subject']}: {miss['reason']} {miss['detail']}".rstrip()
    return {"level": "note" if miss["transient"] else "warning", "message": {"text": said}}
