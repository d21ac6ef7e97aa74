"""What is attached to a mail, read as the documents that it is, within bounds; archives are listed, never unpacked.

An attachment may as well be a sample, which is evidence and no report: programs are named, not read.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hinomi.intel.discovery import members
from hinomi.intel.encoding import decode
from hinomi.intel.format import DAMAGE, Part, ReportFormat
from hinomi.model.errors import ReportError

MAX_READ = 20
"""Attachments read in one mail."""
MAX_CHARACTERS = 8 << 20
"""Characters of text taken from all attachments together."""
MAX_NAMES = 500
"""Names listed of one archive."""
_TEXTS = frozenset({"text/plain", "text/csv", "text/markdown", "text/tab-separated-values"})
_NOT_ATTACHED = frozenset({"mail", "text"})


class Attachment(NamedTuple):
    """One attachment as the mail gives it."""

    name: str
    media_type: str
    charset: str | None
    data: bytes


@dataclass(slots=True)
class Attached:
    """The text of a mail with its attachments behind it, where each of them stands in it, and what was not read."""

    text: str
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, text: str) -> None:
        """Put an attachment's text below a heading of its own."""
        self.text += f"\n\n# Attachment: {name}\n\n"
        start = len(self.text)
        self.text += text
        self.parts.append(Part(name, (start, len(self.text))))


def with_attachments(body: str, attachments: Sequence[Attachment]) -> Attached:
    """Return the body's text and those of its attachments."""
    whole = Attached(body)
    left = MAX_CHARACTERS
    for number, attachment in enumerate(attachments):
        if number >= MAX_READ or left <= 0:
            whole.notes.append(f"the attachment {attachment.name} was not read: too many before it; give it by itself")
            continue
        try:
            text = _text(attachment, whole.notes)
        except ReportError as error:
            whole.notes.append(f"the attachment {attachment.name} was not read: {error.cause}")
            continue
        if text is None:
            whole.notes.append(f"the attachment {attachment.name} was not read: give it by itself")
            continue
        if len(text) > left:
            whole.notes.append(f"only the first {left} characters of the attachment {attachment.name} were read")
        whole.add(attachment.name, text[:left])
        left -= len(text)
    return whole


def _text(attachment: Attachment, notes: list[str]) -> str | None:
    """Return an attachment's text, or None for what is no document. Raises ReportError for a damaged one."""
    data = attachment.data
    if attachment.media_type in _TEXTS and data.strip():
        return decode(data, attachment.name, declared=attachment.charset)[0]
    if (chosen := _format_of(data)) is not None:
        document = chosen.extract(data, attachment.name)
        notes += (f"{attachment.name}: {note}" for note in document.notes)
        return document.text
    return _listed(attachment, notes)


def _format_of(data: bytes) -> ReportFormat | None:
    formats: Sequence[ReportFormat] = members("hinomi.intel.formats", "FORMAT")
    ranked = ((one.sniff(data), one.name, one) for one in formats if one.name not in _NOT_ATTACHED)
    sure, _, best = max(ranked, key=lambda item: item[:2])
    return best if sure >= _SURE and data.strip() else None


_SURE = 40
_BROKEN: tuple[type[Exception], ...] = (zipfile.BadZipFile, *DAMAGE)


def _listed(attachment: Attachment, notes: list[str]) -> str | None:
    """The names in a ZIP archive; they are told even where its content asks for a password."""
    if not attachment.data.startswith(b"PK"):
        return None
    try:
        names = zipfile.ZipFile(io.BytesIO(attachment.data)).namelist()
    except _BROKEN:
        return None
    notes.append(f"the archive {attachment.name} was listed, not unpacked: {len(names)} names")
    if len(names) > MAX_NAMES:
        notes.append(f"only the first {MAX_NAMES} names of the archive {attachment.name} were listed")
    return "\n".join("- " + " ".join(name.split())[:300] for name in names[:MAX_NAMES])
