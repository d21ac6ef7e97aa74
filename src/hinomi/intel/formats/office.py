"""Office files (docx, xlsx, pptx, odt) as what they are: zipped XML. Bounded against zip and XML bombs."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from hinomi.intel.format import DAMAGE, damaged, document
from hinomi.model.claims import Document
from hinomi.model.errors import ReportError

_MAX_PART = 32 << 20
_MAX_TOTAL = 96 << 20
_MAX_PARTS = 2000
_BROKEN: tuple[type[Exception], ...] = (zipfile.BadZipFile, *DAMAGE)
_HEADING = re.compile(r"(?:heading|見出し|berschrift|titre)\s*(\d)", re.IGNORECASE)
_KINDS = (
    ("word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("content.xml", "application/vnd.oasis.opendocument.text"),
)


class _Office:
    name = "office"
    media_types = tuple(media_type for _, media_type in _KINDS)

    def sniff(self, data: bytes) -> int:
        if not data.startswith(b"PK\x03\x04"):
            return 0
        try:
            names = zipfile.ZipFile(io.BytesIO(data)).namelist()
        except _BROKEN:
            return 0
        return 92 if any(main in names for main, _ in _KINDS) else 0

    def extract(self, data: bytes, source: str) -> Document:
        from lxml import etree

        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                package = _Package(archive, source)
                text, media_type = _text(package)
                title, published = _core(package)
        except (etree.LxmlError, *_BROKEN) as error:
            raise damaged(source, "an office file", error) from error
        return document(
            data, source, text, media_type=media_type, encoding="utf-8", title=title, published=published
        )  # fmt: skip


class _Package:
    """The parts of one office file, read within bounds."""

    def __init__(self, archive: zipfile.ZipFile, source: str) -> None:
        self._archive = archive
        self._source = source
        self._left = _MAX_TOTAL
        self.names = archive.namelist()[:_MAX_PARTS]

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


def _text(package: _Package) -> tuple[str, str]:
    kind = next((main, media) for main, media in _KINDS if main in package.names)
    readers = {
        "word/document.xml": _word,
        "xl/workbook.xml": _sheets,
        "ppt/presentation.xml": _slides,
        "content.xml": _open,
    }
    return "\n".join(readers[kind[0]](package)), kind[1]


def _tag(element: Any) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def _attribute(element: Any, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rsplit("}", 1)[-1] == name), "")


def _word(package: _Package) -> Iterator[str]:
    body = package.tree("word/document.xml")
    for block in body.iter("{*}p", "{*}tr"):
        if _tag(block) == "tr":
            cells = [" ".join(t for p in cell.iter("{*}p") if (t := _run_text(p))) for cell in block.iter("{*}tc")]
            yield "| " + " | ".join(cells) + " |"
        elif not any(_tag(a) == "tc" for a in block.iterancestors()):
            yield _paragraph(block)


def _paragraph(block: Any) -> str:
    text = _run_text(block)
    style = next((_attribute(s, "val") for s in block.iter("{*}pStyle")), "")
    level = _HEADING.search(style)
    if text and (level or style.lower() == "title"):
        return "\n" + "#" * (int(level.group(1)) or 1 if level else 1) + " " + text + "\n"
    if text and next(block.iter("{*}numPr"), None) is not None:
        return "- " + text
    return text


def _run_text(block: Any) -> str:
    pieces = []
    for element in block.iter("{*}t", "{*}tab", "{*}br", "{*}noBreakHyphen"):
        tag = _tag(element)
        pieces.append({"tab": "\t", "br": "\n", "noBreakHyphen": "-"}.get(tag) or element.text or "")
    return "".join(pieces).strip()


def _sheets(package: _Package) -> Iterator[str]:
    shared = []
    if "xl/sharedStrings.xml" in package.names:
        strings = package.tree("xl/sharedStrings.xml")
        shared = ["".join(t.text or "" for t in item.iter("{*}t")) for item in strings.iter("{*}si")]
    for name in sorted((n for n in package.names if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", n)), key=_number):
        for row in package.tree(name).iter("{*}row"):
            cells = [_cell(cell, shared) for cell in row.iter("{*}c")]
            if any(cells):
                yield "| " + " | ".join(cells) + " |"
        yield ""


def _number(name: str) -> int:
    digits = re.sub(r"\D", "", name)
    return int(digits[-6:] or 0)


def _cell(cell: Any, shared: list[str]) -> str:
    value = next((v.text or "" for v in cell.iter("{*}v")), "")
    if cell.get("t") == "s":
        return shared[int(value)] if value.isdigit() and int(value) < len(shared) else ""
    if cell.get("t") == "inlineStr":
        return "".join(t.text or "" for t in cell.iter("{*}t"))
    return value


def _slides(package: _Package) -> Iterator[str]:
    for name in sorted((n for n in package.names if re.fullmatch(r"ppt/slides/slide\d+\.xml", n)), key=_number):
        for block in package.tree(name).iter("{*}p"):
            if text := _run_text(block):
                yield text
        yield ""


def _open(package: _Package) -> Iterator[str]:
    for block in package.tree("content.xml").iter("{*}h", "{*}p"):
        text = "".join(block.itertext()).strip()
        if _tag(block) == "h" and text:
            level = _attribute(block, "outline-level")
            yield "\n" + "#" * (int(level) if level in "123456" and level else 1) + " " + text + "\n"
        elif text:
            yield text


def _core(package: _Package) -> tuple[str | None, str | None]:
    if "docProps/core.xml" not in package.names:
        return None, None
    title = published = None
    for element in package.tree("docProps/core.xml").iter():
        if _tag(element) == "title" and (element.text or "").strip():
            title = " ".join(element.text.split())[:300]
        elif _tag(element) == "created" and re.match(r"\d{4}-\d\d-\d\d", element.text or ""):
            published = element.text[:10]
    return title, published


FORMAT = _Office()
