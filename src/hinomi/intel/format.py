"""What a report format is: it recognises its bytes and turns them into a document."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from hinomi.intel.extractor import Candidate
from hinomi.model.claims import ClaimType, Document, Span
from hinomi.model.errors import ReportError

MAX_INPUT = 64 << 20
"""Bytes of one report. More than that is a log or an archive, not a report."""
MAX_TEXT = 64 << 20
"""Characters of the extracted text; what goes beyond is dropped and noted."""


@runtime_checkable
class ReportFormat(Protocol):
    """One format. Found by listing `hinomi.intel.formats`; the highest `sniff` wins."""

    name: str
    media_types: tuple[str, ...]

    def sniff(self, data: bytes) -> int:
        """Return how sure the content is of this format, 0 (not at all) to 100; looks at content, not names."""
        ...

    def extract(self, data: bytes, source: str) -> Document:
        """Return the document. Raises ReportError when the bytes cannot be read."""
        ...


class Said(NamedTuple):
    """Names one claim of a structured document: what its id is made of."""

    type: ClaimType
    value: str
    distinct: str = ""


class Link(NamedTuple):
    """A relation that a structured document states between two things it says."""

    source: Said
    kind: str
    target: Said
    span: Span
    confidence: int


class Part(NamedTuple):
    """A document within the document, such as an attachment, and where its text stands."""

    name: str
    span: Span


class Origin(NamedTuple):
    """The report that a document was exported from: its id, source and date of publication."""

    id: str
    source: str
    published: str | None


@dataclass(frozen=True, slots=True)
class Statements:
    """What a structured document says outright; claims are looked for only in the spans of `prose` besides.

    `free` is a document that is prose from end to end, whose format merely adds candidates to what is found in it.
    """

    candidates: tuple[Candidate, ...] = ()
    prose: tuple[Span, ...] = ()
    links: tuple[Link, ...] = ()
    free: bool = False
    parts: tuple[Part, ...] = ()
    """Claims within one of these get its name as `attributes["attachment"]`."""
    origin: Origin | None = None
    """What this was before it was exported; reading it again gives the same report, so that it exports the same."""


@runtime_checkable
class StructuredFormat(ReportFormat, Protocol):
    """A format that says what its values are: it gives the document and its claims in one go."""

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        """Return the document and what it states. Raises ReportError when the bytes cannot be read."""
        ...


def document(
    data: bytes,
    source: str,
    text: str,
    *,
    media_type: str,
    encoding: str = "",
    title: str | None = None,
    published: str | None = None,
    notes: tuple[str, ...] = (),
) -> Document:
    """Make a Document, bounding its text. Raises ReportError when there is no text at all."""
    if not text.strip():
        raise ReportError(
            "report-no-text", place=source, cause="it holds no text", next_step="give a report that holds text"
        )
    if len(text) > MAX_TEXT:
        notes = (*notes, f"only the first {MAX_TEXT} characters were read")
        text = text[:MAX_TEXT]
    return Document(
        source=source, text=text, title=title, encoding=encoding, media_type=media_type,
        sha256=hashlib.sha256(data).hexdigest(), published=published, notes=notes,
    )  # fmt: skip


DAMAGE: tuple[type[Exception], ...] = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError,
    TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""What parsing libraries raise on crafted input, beside their own errors."""


def damaged(source: str, kind: str, error: BaseException) -> ReportError:
    """Return the error for a file of `kind` that its library could not read."""
    detail = str(error).splitlines()[0][:200] if str(error).strip() else type(error).__name__
    return ReportError(
        "report-damaged",
        place=source,
        cause=f"it looks like {kind}, but cannot be read: {detail}",
        next_step="fetch it again, or give its text",
    )
