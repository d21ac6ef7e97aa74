"""Markdown."""

from __future__ import annotations

from hinomi.brief.document import DigestDocument, Document, ScanDocument
from hinomi.brief.renderers.templates import fill
from hinomi.model.text import Language


def render(document: Document, language: Language) -> str:
    """Return the document as Markdown."""
    kind = (
        "scan"
        if isinstance(document, ScanDocument)
        else "digest"
        if isinstance(document, DigestDocument)
        else "verdict"
    )
    return fill(f"{kind}.md.j2", language, document=document)
