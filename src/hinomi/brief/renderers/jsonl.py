"""One JSON object a line: findings, then the coverage; or verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hinomi.brief.document import DigestDocument, Document, ScanDocument
from hinomi.model.text import Language


def render(document: Document, language: Language) -> str:
    """Return one line per object."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(document))


def _lines(document: Document) -> Iterator[Any]:
    if isinstance(document, ScanDocument):
        yield from (f.to_json() for f in document.findings)
        yield document.coverage.to_json()
    elif isinstance(document, DigestDocument):
        yield from document.items
    else:
        yield from (v.to_json() for v in document.verdicts)
