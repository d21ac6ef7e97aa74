"""PDF: the text layer, page by page, within bounds of pages, bytes and time."""

from __future__ import annotations

import io
import logging
import time
from typing import Any

from hinomi.intel.format import DAMAGE, Statements, damaged, document
from hinomi.intel.joints import alternatives, cut_readings
from hinomi.intel.pdflayout import Page
from hinomi.intel.rejoin import rejoin, uncut, without_running_heads
from hinomi.model.claims import Document
from hinomi.model.errors import ReportError

_MAX_PAGES = 600
_MAX_SECONDS = 20.0
_MAX_STREAM = 16 << 20
"""Bytes of one page's drawing commands once unpacked."""
_MAX_CHARACTERS = 16 << 20


class _Late(Exception):  # noqa: N818
    """The time for this file is used up."""


def _damage() -> tuple[type[Exception], ...]:
    """What a broken PDF may raise. A function, so that pypdf is imported only when a PDF is read."""
    from pypdf.errors import PyPdfError

    return (PyPdfError, *DAMAGE)


class _Pdf:
    name = "pdf"
    media_types = ("application/pdf",)

    def sniff(self, data: bytes) -> int:
        return 95 if b"%PDF-" in data[:1024] else 0

    def extract(self, data: bytes, source: str) -> Document:
        return self.read(data, source)[0]

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        logging.getLogger("pypdf").setLevel(logging.CRITICAL)
        try:
            reader = _open(data, source)
            pages, notes = _pages(reader)
            title, published = _metadata(reader)
        except _damage() as error:
            raise damaged(source, "a PDF", error) from error
        if not any(page.strip() for page in pages):
            raise ReportError(
                "report-no-text-layer",
                place=source,
                cause="the PDF holds pictures of text, not text",
                next_step="run it through a text recogniser (OCR) first, or give the page it was printed from",
            )
        text, cuts, joints = uncut(*rejoin("\n\n".join(without_running_heads(pages))))
        made = document(data, source, text, media_type="application/pdf", title=title, published=published, notes=notes)
        either = (*alternatives(made.text, joints), *cut_readings(made.text, cuts))
        return made, Statements(either, free=True)


def _open(data: bytes, source: str) -> Any:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted and not _unlocked(reader):
        raise ReportError(
            "report-encrypted",
            place=source,
            cause="the PDF asks for a password",
            next_step="save it without a password",
        )
    return reader


def _unlocked(reader: Any) -> bool:
    try:
        return bool(reader.decrypt(""))
    except _damage():
        return False


def _pages(reader: Any) -> tuple[list[str], tuple[str, ...]]:
    deadline = time.monotonic() + _MAX_SECONDS
    pages: list[str] = []
    lost = 0
    size = 0
    for number, page in enumerate(reader.pages):
        if number >= _MAX_PAGES or size > _MAX_CHARACTERS or time.monotonic() > deadline:
            return pages, (f"only the first {number} pages were read", *_lost(lost))
        try:
            text = _page_text(page, deadline)
        except _Late:
            return pages, (f"only the first {number} pages were read", *_lost(lost))
        if text is None:
            lost += 1
            continue
        pages.append(text)
        size += len(text)
    return pages, _lost(lost)


def _lost(count: int) -> tuple[str, ...]:
    return (f"{count} pages could not be read",) if count else ()


def _page_text(page: Any, deadline: float) -> str | None:
    """Return the page's text, or None when the page is damaged or too large."""

    def check(*_: Any) -> None:
        if time.monotonic() > deadline:
            raise _Late

    try:
        contents = page.get_contents()
        if contents is not None and len(contents.get_data()) > _MAX_STREAM:
            return None
        drawn = Page()

        def draw(text: str, outer: list[float], inner: list[float], _font: Any, size: float) -> None:
            x, y = inner[4], inner[5]
            height = abs(size * inner[3] * outer[3]) or abs(size)
            drawn.draw(text, x * outer[0] + y * outer[2] + outer[4], x * outer[1] + y * outer[3] + outer[5], height)

        page.extract_text(visitor_operand_before=check, visitor_text=draw)
        return drawn.text()
    except _damage():
        return None


def _metadata(reader: Any) -> tuple[str | None, str | None]:
    try:
        info = reader.metadata
        if info is None:
            return None, None
        title = " ".join(str(info.title or "").split())[:300]
        created = info.creation_date
    except _damage():
        return None, None
    useful = title if len(title) >= 8 and not title.lower().endswith((".docx", ".doc", ".indd", ".pptx")) else None
    return useful, created.date().isoformat() if created else None


FORMAT = _Pdf()
