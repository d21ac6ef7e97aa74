"""Word files: paragraphs, headings, lists, tables, text boxes; notes and comments stand below what they are of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hinomi.intel.office.package import FALLBACK, Package, Reference, attribute, below, row_of, tag

MAIN = "word/document.xml"
_HEADING = re.compile(r"(?:heading|見出し|berschrift|titre)\s*(\d)", re.IGNORECASE)
_FIELD = re.compile(r"HYPERLINK\s+\"([^\"]{1,2000})\"")
_BOX = "txbxContent"
_NOTES = {"footnotes": "footnote", "endnotes": "endnote", "comments": "comment"}
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_MAX_SPAN = 64


def lines(package: Package) -> Iterator[str]:
    """Yield the lines of the document."""
    return _Word(package).lines()


class _Word:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._references = package.references(MAIN)
        self._notes: dict[tuple[str, str], str] = {}
        self._notes = {key: text for name in _NOTES for key, text in self._noted(name)}
        self._waiting: list[str] = []
        self._above: list[str] = []

    def lines(self) -> Iterator[str]:
        for block in below(self._package.tree(MAIN), FALLBACK):
            if tag(block) == "tr":
                if next(block.iterancestors("{*}tc"), None) is None:
                    yield self._row(block)
            elif tag(block) == "p" and next(block.iterancestors("{*}tc"), None) is None:
                self._above = []
                yield from self._told()
                yield self._paragraph(block)
        yield from self._told()
        yield from self._notes.values()

    def _noted(self, name: str) -> Iterator[tuple[tuple[str, str], str]]:
        part = f"word/{name}.xml"
        if part not in self._package.names:
            return
        references = self._package.references(part)
        for item in self._package.tree(part).iter("{*}" + _NOTES[name]):
            said = " ".join(t for p in item.iter("{*}p") if (t := self._text(p, references)))
            if said:
                yield (_NOTES[name], attribute(item, "id")), f"[{_NOTES[name]}] {said}"

    def _told(self) -> Iterator[str]:
        """The notes of what was said last: a table is not broken by them."""
        yield from self._waiting
        self._waiting = []

    def _row(self, row: Any) -> str:
        cells: list[str] = []
        for cell in row.iter("{*}tc"):
            if next(cell.iterancestors("{*}tr"), None) is not row:
                continue  # of a table within
            boxed = [p for p in below(cell, FALLBACK) if tag(p) == "p"]
            said = " ".join(t for p in boxed if (t := self._text(p, self._references)))
            if not said and _goes_on(cell) and len(cells) < len(self._above):
                said = self._above[len(cells)]
            cells += [said, *[""] * (_width(cell) - 1)]
        self._above = cells
        return row_of(cells)

    def _paragraph(self, block: Any) -> str:
        text = self._text(block, self._references)
        style = next((attribute(s, "val") for s in block.iter("{*}pStyle")), "")
        level = _HEADING.search(style)
        if text and (level or style.lower() == "title"):
            return "\n" + "#" * (int(level.group(1)) or 1 if level else 1) + " " + text + "\n"
        if text and next(block.iter("{*}numPr"), None) is not None:
            return "- " + text
        return text

    def _text(self, block: Any, references: dict[str, Reference]) -> str:
        """Return what a paragraph says without the boxes at it, which are paragraphs of their own."""
        pieces, fields = [], []
        for element in below(block, _BOX, FALLBACK):
            name = tag(element)
            if name == "t":
                pieces.append(element.text or "")
            elif name in _SIGNS:
                pieces.append(_SIGNS[name])
            elif name == "instrText":
                fields.append(element.text or "")
            elif name == "hyperlink":
                self._link(element, references)
            elif name.endswith("Reference"):
                self._refer(name.removesuffix("Reference"), attribute(element, "id"))
        text = "".join(pieces).strip()
        for target in _FIELD.findall("".join(fields)):
            self._package.link(target, text)
        return text

    def _link(self, element: Any, references: dict[str, Reference]) -> None:
        target = references.get(attribute(element, "id"))
        if target and target.external:
            self._package.link(target.target, "".join(t.text or "" for t in element.iter("{*}t")))

    def _refer(self, kind: str, number: str) -> None:
        if said := self._notes.pop((kind, number), None):
            self._waiting.append(said)


def _goes_on(cell: Any) -> bool:
    """Whether a cell is the lower part of one that spans rows."""
    return any(attribute(merge, "val") != "restart" for merge in cell.iter("{*}vMerge"))


def _width(cell: Any) -> int:
    said = next((attribute(span, "val") for span in cell.iter("{*}gridSpan")), "")
    return max(1, min(_MAX_SPAN, int(said))) if said.isascii() and said.isdigit() and len(said) < 4 else 1
