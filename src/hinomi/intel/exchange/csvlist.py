"""Claims of several reports as a CSV list, one line a claim and report."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from hinomi.model.claims import Report

COLUMNS = ("report", "type", "value", "canonical", "role", "confidence", "status", "text")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def list_of(reports: Sequence[Report]) -> str:
    """Return the list with a header line and a byte-order mark, so that spreadsheets read Japanese."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for report in reports:
        for c in report.claims:
            row = (report.id, c.type, c.value, c.canonical or "", c.role, str(c.confidence), c.status, c.text)
            writer.writerow([_inert(cell) for cell in row])
    return "\ufeff" + out.getvalue()


def _inert(cell: str) -> str:
    """Report text is hostile: a cell that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
