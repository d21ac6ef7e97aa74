"""STIX 2.1: a sighting of each threat or technique with the observed data behind it; ids are deterministic."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from hinomi.brief.document import Document, ScanDocument
from hinomi.model.findings import Finding
from hinomi.model.text import Language

NAMESPACE = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # the STIX 2.1 specification's own
EPOCH = "1970-01-01T00:00:00.000Z"


def render(document: Document, language: Language) -> str:
    """Return a bundle of notes and observed files, one pair per finding."""
    assert isinstance(document, ScanDocument)
    objects: dict[str, dict[str, Any]] = {}
    for finding in document.findings:
        for item in _objects(finding, document.made, language):
            objects.setdefault(item["id"], item)
    bundle = {"type": "bundle", "id": _id("bundle", "|".join(objects)), "objects": list(objects.values())}
    return json.dumps(bundle, ensure_ascii=False, indent=2) + "\n"


def _objects(finding: Finding, made: str, language: Language) -> Iterator[dict[str, Any]]:
    seen = _time(finding.first_seen or made)
    last = _time(finding.last_seen or made)
    observed = {"type": "file", "spec_version": "2.1", "name": finding.subject_key[-500:]}
    observed["id"] = _id("file", f"{finding.target}|{finding.subject_key}")
    data = {
        "type": "observed-data", "spec_version": "2.1", "id": _id("observed-data", finding.id), "created": seen,
        "modified": last, "first_observed": seen, "last_observed": last, "number_observed": 1,
        "object_refs": [observed["id"]],
    }  # fmt: skip
    note = {
        "type": "note", "spec_version": "2.1", "id": _id("note", finding.id), "created": seen, "modified": last,
        "abstract": finding.title.in_language(language), "content": finding.explanation.in_language(language),
        "confidence": finding.confidence, "object_refs": [data["id"]],
        "labels": [finding.severity, finding.rule_id, *finding.attack],
    }  # fmt: skip
    yield from (observed, data, note)


def _id(kind: str, key: str) -> str:
    return f"{kind}--{uuid.uuid5(NAMESPACE, f'hinomi|{kind}|{key}')}"


def _time(iso: str) -> str:
    return iso.replace("+00:00", "Z") if iso.endswith("+00:00") else EPOCH
