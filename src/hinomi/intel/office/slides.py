"""Presentations: each slide with its title, paragraphs and tables, then what its notes, diagrams and comments say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hinomi.intel.office.package import FALLBACK, Package, Reference, attribute, below, number_of, row_of, tag

MAIN = "ppt/presentation.xml"
_BESIDE = {"notesSlide": "notes", "diagramData": "diagram", "comments": "comment", "comment": "comment"}
_NUMBERS = frozenset({"sldNum", "dt", "ftr", "hdr"})
_SIGNS = {"tab": "\t", "br": "\n"}


def lines(package: Package) -> Iterator[str]:
    """Yield the lines of all slides in the order of the talk."""
    for number, part in enumerate(_order(package)):
        references = package.references(part)
        yield from _page(package, package.tree(part), references, "#" if number == 0 else "##")
        for reference in references.values():
            if reference.kind in _BESIDE and reference.target in package.names:
                beside = package.tree(reference.target)
                said = [line for line in _page(package, beside, package.references(reference.target), "") if line]
                yield from (f"[{_BESIDE[reference.kind]}] {line}" for line in said)
        yield ""


def _order(package: Package) -> list[str]:
    references = package.references(MAIN)
    ids = [attribute(item, "id") for item in package.tree(MAIN).iter("{*}sldId")]
    ids += [key for item in package.tree(MAIN).iter("{*}sldId") for key in item.attrib.values()]
    told = [references[key].target for key in ids if key in references and references[key].target in package.names]
    parts = [name for name in package.names if re.fullmatch(r"ppt/slides/slide\d+\.xml", name)]
    return list(dict.fromkeys([*told, *sorted(parts, key=number_of)]))


def _page(package: Package, page: Any, references: dict[str, Reference], mark: str) -> Iterator[str]:
    role = ""
    for block in below(page, FALLBACK):
        name = tag(block)
        if name == "sp":
            role = next((item.get("type") or "" for item in block.iter("{*}ph")), "")
        elif name == "tr":
            cells = [" ".join(_text(p) for p in cell.iter("{*}p")) for cell in block.iter("{*}tc")]
            yield row_of(cells)
        elif name == "hlinkClick":
            _link(package, block, references)
        elif role not in _NUMBERS and (text := _paragraph(block, name)):
            yield f"\n{mark} {text}\n" if mark and role in ("title", "ctrTitle") else text


def _paragraph(block: Any, name: str) -> str:
    """Return what a paragraph outside tables says; old comments have a `text` alone."""
    if name == "text":
        return (block.text or "").strip()
    return _text(block) if name == "p" and next(block.iterancestors("{*}tc"), None) is None else ""


def _text(block: Any) -> str:
    pieces = [_SIGNS.get(tag(e)) or e.text or "" for e in block.iter("{*}t", "{*}tab", "{*}br")]
    return "".join(pieces).strip()


def _link(package: Package, click: Any, references: dict[str, Reference]) -> None:
    target = references.get(attribute(click, "id"))
    run = next(click.iterancestors("{*}r"), None)
    if target and target.external:
        package.link(target.target, _text(run) if run is not None else "")
