"""Workbooks: every sheet, hidden ones too, under its name; merged cells say the same on each row; remarks below."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hinomi.intel.office.package import Package, Reference, attribute, number_of, row_of

MAIN = "xl/workbook.xml"
_PLACE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_MERGED = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")
_MAX_GAP = 64
"""Empty cells shown between two of a row."""
_MAX_MERGED = 50_000
"""Cells that are filled with what the merged cell above them says."""


def lines(package: Package) -> Iterator[str]:
    """Yield the lines of all sheets."""
    shared = []
    if "xl/sharedStrings.xml" in package.names:
        shared = [_said(item) for item in package.tree("xl/sharedStrings.xml").iter("{*}si")]
    for title, part in _sheets(package):
        page = package.tree(part)
        references = package.references(part)
        if title:
            yield f"## {title}"
        yield from _rows(page, shared)
        yield from _remarks(package, references)
        for link in page.iter("{*}hyperlink"):
            target = references.get(attribute(link, "id"))
            if target and target.external:
                package.link(target.target, link.get("display") or link.get("ref") or "")
        yield ""


def _sheets(package: Package) -> list[tuple[str, str]]:
    """Return (name, part) in the order of the book; sheets that it does not name come last."""
    references = package.references(MAIN)
    parts = sorted((n for n in package.names if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", n)), key=number_of)
    named: list[tuple[str, str]] = []
    for sheet in package.tree(MAIN).iter("{*}sheet"):
        target = references.get(attribute(sheet, "id"))
        if target and target.target in package.names and target.kind == "worksheet":
            named.append((sheet.get("name") or "", target.target))
    known = {part for _, part in named}
    return [*named, *(("", part) for part in parts if part not in known)]


def _rows(page: Any, shared: list[str]) -> Iterator[str]:
    merged = _merged(page)
    above: list[str] = []
    for number, row in enumerate(page.iter("{*}row"), 1):
        said = row.get("r") or ""
        here = int(said) if said.isascii() and said.isdigit() and len(said) < 8 else number
        cells = _cells(row, shared)
        for column in merged.get(here, ()):
            if column < len(above):
                cells += [""] * (column + 1 - len(cells))
                cells[column] = cells[column] or above[column]
        above = cells
        if any(cells):
            yield row_of(cells)


def _cells(row: Any, shared: list[str]) -> list[str]:
    cells: list[str] = []
    for cell in row.iter("{*}c"):
        cells += [""] * min(_column(cell, len(cells)) - len(cells), _MAX_GAP)
        cells.append(_cell(cell, shared))
    return cells


def _merged(page: Any) -> dict[int, list[int]]:
    """Return the columns in which a row shows no more than the lower part of a merged cell: row -> columns."""
    found: dict[int, list[int]] = {}
    left = _MAX_MERGED
    for item in page.iter("{*}mergeCell"):
        match = _MERGED.fullmatch(item.get("ref") or "")
        if match and match[1] == match[3]:
            rows = range(int(match[2]) + 1, int(match[4]) + 1)[:left]
            left -= len(rows)
            for row in rows:
                found.setdefault(row, []).append(_letters(match[1]))
    return found


def _column(cell: Any, following: int) -> int:
    match = _PLACE.fullmatch(cell.get("r") or "")
    return max(_letters(match[1]), following) if match else following


def _letters(name: str) -> int:
    value = 0
    for letter in name:
        value = value * 26 + ord(letter) - 64
    return value - 1


def _cell(cell: Any, shared: list[str]) -> str:
    value = next((v.text or "" for v in cell.iter("{*}v")), "")
    if cell.get("t") == "s":
        return shared[int(value)] if value.isdigit() and int(value) < len(shared) else ""
    if cell.get("t") == "inlineStr":
        return "".join(_said(item) for item in cell.iter("{*}is"))
    return value


def _said(item: Any) -> str:
    """Return the text of a string without the reading (furigana) that stands beside it."""
    return "".join(t.text or "" for t in item.iterfind("{*}t")) + "".join(
        t.text or "" for run in item.iterfind("{*}r") for t in run.iterfind("{*}t")
    )


def _remarks(package: Package, references: dict[str, Reference]) -> Iterator[str]:
    """Yield the comments at cells, old ones and threads."""
    for reference in references.values():
        if reference.kind not in ("comments", "threadedComment") or reference.target not in package.names:
            continue
        for comment in package.tree(reference.target).iter("{*}comment", "{*}threadedComment"):
            said = "".join(_said(text) or text.text or "" for text in comment.iterfind("{*}text"))
            if said.strip():
                yield f"[comment {comment.get('ref') or ''}] {' '.join(said.split())}"
