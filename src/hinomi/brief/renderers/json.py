"""One JSON document; the contract's schemas."""

from __future__ import annotations

import json
from typing import Any

from hinomi.brief.document import DigestDocument, Document, ScanDocument
from hinomi.model.text import Language


def render(document: Document, language: Language) -> str:
    """Return pretty-printed JSON with a final newline."""
    return json.dumps(as_object(document), ensure_ascii=False, indent=2) + "\n"


def as_object(document: Document) -> Any:
    """Return what is printed: a scan's findings, stories and coverage; one verdict or a list; a digest."""
    if isinstance(document, ScanDocument):
        return {
            "schema": "hinomi.scan/1", "targets": list(document.targets), "made": document.made,
            "version": document.version, "findings": [f.to_json() for f in document.findings],
            "stories": [s.to_json() for s in document.stories], "coverage": document.coverage.to_json(),
        }  # fmt: skip
    if isinstance(document, DigestDocument):
        return {"schema": "hinomi.digest/1", "title": document.title, "made": document.made, "items": document.items}
    verdicts = [v.to_json() for v in document.verdicts]
    return verdicts[0] if len(verdicts) == 1 else verdicts
