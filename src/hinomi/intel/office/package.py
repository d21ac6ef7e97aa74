"""One office file as what it is: zipped XML, its parts and what they refer to. Bounded against zip and XML bombs."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple

from hinomi.model.errors import ReportError

_MAX_PART = 32 << 20
_MAX_TOTAL = 96 << 20
_MAX_PARTS = 2000
_MAX_LINKS = 5000
_SCHEMES = ("http://", "https://", "ftp://", "hxxp")
FALLBACK = "Fallback"
"""The same again for older programs."""


class Reference(NamedTuple):
    """Another part (its full name) or, outside, an address; `kind` is the last word of its type."""

    kind: str
    target: str
    external: bool


class Package:
    """The parts of one office file, read within bounds."""

    def __init__(self, archive: zipfile.ZipFile, source: str) -> None:
        self._archive = archive
        self._source = source
        self._left = _MAX_TOTAL
        self.names = archive.namelist()[:_MAX_PARTS]
        self.links: dict[str, str] = {}

    def tree(self, name: str) -> Any:
        """Return the XML tree of a part. No entities, no network, no huge trees."""
        from lxml import etree

        limit = min(_MAX_PART, self._left)
        with self._archive.open(name) as part:
            content = part.read(limit + 1)
        if len(content) > limit:
            raise ReportError(
                "report-too-large",
                place=self._source,
                cause=f"its part {name!r} unpacks to more than {limit} bytes",
                next_step="give its text instead",
            )
        self._left -= len(content)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
        return etree.fromstring(content, parser)

    def references(self, name: str) -> dict[str, Reference]:
        """Return what a part refers to by the ids it uses for it."""
        folder, base = posixpath.split(name)
        own = f"{folder}/_rels/{base}.rels"
        if own not in self.names:
            return {}
        found = {}
        for item in self.tree(own).iter("{*}Relationship"):
            external = item.get("TargetMode") == "External"
            target = item.get("Target") or ""
            place = target if external else posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/")
            found[item.get("Id") or ""] = Reference((item.get("Type") or "").rpartition("/")[2], place, external)
        return found

    def link(self, target: str, label: str) -> None:
        """Keep the target of a link that its words may not show."""
        plain = target.strip()
        if plain.lower().startswith(_SCHEMES) and len(self.links) < _MAX_LINKS:
            self.links.setdefault(plain, " ".join(label.split())[:120])


def tag(element: Any) -> str:
    """Return the local name of an element; nothing for comments and instructions."""
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def attribute(element: Any, name: str) -> str:
    """Return the attribute of this local name."""
    return next((value for key, value in element.attrib.items() if key.rsplit("}", 1)[-1] == name), "")


def below(element: Any, *pruned: str) -> Iterator[Any]:
    """Yield what stands below an element in order, leaving out what stands below a `pruned` one."""
    stack = list(reversed(element))
    while stack:
        here = stack.pop()
        if tag(here) not in pruned:
            yield here
            stack += reversed(here)


def number_of(part: str) -> int:
    """Return the number in a part's name, which orders the parts of one kind."""
    digits = re.sub(r"\D", "", part)
    return int(digits[-6:] or 0)


def row_of(cells: list[str]) -> str:
    """Return a row of a table as a line."""
    return "| " + " | ".join(" ".join(cell.split()) for cell in cells) + " |"
