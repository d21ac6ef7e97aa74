"""Findings as CSV for spreadsheets: UTF-8 with a byte order mark (Excel), one header line, no formula can run."""

from __future__ import annotations

import csv
import io

from hinomi.brief.document import Document, ScanDocument
from hinomi.model.text import Language, printable

HEADER = (
    "id", "severity", "confidence", "rule", "target", "subject_type", "subject", "title", "explanation", "attack",
    "threats", "behaviours", "first_seen", "last_seen",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(document: Document, language: Language) -> str:
    """Return the findings, a row each."""
    assert isinstance(document, ScanDocument)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for f in document.findings:
        row = (
            f.id, f.severity, f.confidence, f.rule_id, f.target, f.subject_type, f.subject_key,
            f.title.in_language(language), f.explanation.in_language(language), " ".join(f.attack),
            "; ".join(f.threats), " ".join(f.behaviours), f.first_seen or "", f.last_seen or "",
        )  # fmt: skip
        writer.writerow([_inert(str(v)) for v in row])
    return "\ufeff" + out.getvalue()


def _inert(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula gets a leading apostrophe."""
    shown = printable(cell)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
