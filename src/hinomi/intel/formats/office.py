"""Office files (docx, xlsx, pptx, odt) and what they hold."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator

from hinomi.intel.format import DAMAGE, damaged, document
from hinomi.intel.markup import link_lines
from hinomi.intel.office import opendocument, sheets, slides, word
from hinomi.intel.office.package import Package, tag
from hinomi.model.claims import Document

_BROKEN: tuple[type[Exception], ...] = (zipfile.BadZipFile, *DAMAGE)
_KINDS: tuple[tuple[str, str, Callable[[Package], Iterator[str]]], ...] = (
    (word.MAIN, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", word.lines),
    (sheets.MAIN, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sheets.lines),
    (slides.MAIN, "application/vnd.openxmlformats-officedocument.presentationml.presentation", slides.lines),
    (opendocument.MAIN, "application/vnd.oasis.opendocument.text", opendocument.lines),
)


class _Office:
    name = "office"
    media_types = tuple(media_type for _, media_type, _ in _KINDS)

    def sniff(self, data: bytes) -> int:
        if not data.startswith(b"PK\x03\x04"):
            return 0
        try:
            names = zipfile.ZipFile(io.BytesIO(data)).namelist()
        except _BROKEN:
            return 0
        return 92 if any(main in names for main, _, _ in _KINDS) else 0

    def extract(self, data: bytes, source: str) -> Document:
        from lxml import etree

        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                package = Package(archive, source)
                text, media_type = _text(package)
                title, published = _core(package)
        except (etree.LxmlError, *_BROKEN) as error:
            raise damaged(source, "an office file", error) from error
        return document(
            data, source, text, media_type=media_type, encoding="utf-8", title=title, published=published
        )  # fmt: skip


def _text(package: Package) -> tuple[str, str]:
    _, media_type, lines = next(kind for kind in _KINDS if kind[0] in package.names)
    text = "\n".join(lines(package))
    return "\n".join([text, *link_lines(package.links, text)]), media_type


def _core(package: Package) -> tuple[str | None, str | None]:
    if "docProps/core.xml" not in package.names:
        return None, None
    title = published = None
    for element in package.tree("docProps/core.xml").iter():
        if tag(element) == "title" and (element.text or "").strip():
            title = " ".join(element.text.split())[:300]
        elif tag(element) == "created" and re.match(r"\d{4}-\d\d-\d\d", element.text or ""):
            published = element.text[:10]
    return title, published


FORMAT = _Office()
