"""HTML: one self-contained page that loads nothing."""

from __future__ import annotations

from hinomi.brief.document import Document
from hinomi.brief.renderers.templates import page
from hinomi.model.text import Language


def render(document: Document, language: Language) -> str:
    """Return the document as a page."""
    return page(document, "html", language)
