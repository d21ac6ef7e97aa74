"""OpenDocument texts, sheets and slides: headings, paragraphs, lists, tables, links, notes and annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hinomi.intel.office.package import Package, attribute, below, row_of, tag

MAIN = "content.xml"
_APART = ("note", "annotation")
"""Paragraphs of their own within a paragraph."""
_SIGNS = {"tab": "\t", "line-break": "\n"}
_MAX_BLANKS = 64


def lines(package: Package) -> Iterator[str]:
    """Yield the lines of the document."""
    for block in below(package.tree(MAIN), "tracked-changes"):
        name = tag(block)
        inside = next(block.iterancestors("{*}table-cell"), None) is not None
        if name == "table-row" and not inside:
            if any(cells := [_cell(package, cell) for cell in block.iter("{*}table-cell")]):
                yield row_of(cells)
        elif name in ("h", "p") and not inside and (text := _text(package, block)):
            yield _line(block, name, text)


def _line(block: Any, name: str, text: str) -> str:
    if name == "h":
        level = attribute(block, "outline-level")
        return "\n" + "#" * (int(level) if level in "123456" and level else 1) + " " + text + "\n"
    if next(block.iterancestors("{*}list-item"), None) is not None:
        return "- " + text
    return text


def _cell(package: Package, cell: Any) -> str:
    return " ".join(_text(package, p) for p in cell.iter("{*}p", "{*}h"))


def _text(package: Package, block: Any) -> str:
    """Return what a paragraph says, its notes left to paragraphs of their own."""
    pieces: list[str] = []
    stack: list[Any] = [block]
    while stack:
        here = stack.pop()
        if isinstance(here, str):
            pieces.append(here)
            continue
        if here is not block:
            stack.append(here.tail or "")
        if tag(here) in _APART:
            continue
        if tag(here) == "a":
            package.link(attribute(here, "href"), "".join(here.itertext()))
        pieces += [_sign(here), here.text or "" if tag(here) else ""]
        stack += reversed(here)
    return "".join(pieces).strip()


def _sign(element: Any) -> str:
    if tag(element) == "s":
        said = attribute(element, "c")
        return " " * max(1, min(_MAX_BLANKS, int(said))) if said.isascii() and said.isdigit() and len(said) < 4 else " "
    return _SIGNS.get(tag(element), "")
