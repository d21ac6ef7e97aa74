"""A report sent by mail (`.eml`) or a page saved as MHTML: its best text part, its subject and its date.

The newsletter's own text is read, and the documents that are attached to it (`attached.py`); claims name theirs.
"""

from __future__ import annotations

import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

from hinomi.intel.attached import Attachment, with_attachments
from hinomi.intel.encoding import decode
from hinomi.intel.format import DAMAGE, Statements, damaged, document
from hinomi.intel.formats.html import FORMAT as HTML
from hinomi.model.claims import Document

_FIELD = re.compile(rb"^(received|from|to|subject|date|message-id|mime-version|content-type|return-path):", re.I | re.M)
_MAX_PARTS = 200


class _Mail:
    name = "mail"
    media_types = ("message/rfc822", "multipart/related")

    def sniff(self, data: bytes) -> int:
        head = re.split(rb"\r?\n\r?\n", data[:16384], maxsplit=1)[0]
        first = head.split(b"\n", 1)[0]
        if not re.match(rb"[A-Za-z][A-Za-z-]{1,40}:[ \t]|From ", first):
            return 0
        return 80 if len({name.lower() for name in _FIELD.findall(head)}) >= 3 else 0

    def extract(self, data: bytes, source: str) -> Document:
        return self.read(data, source)[0]

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        try:
            message = BytesParser(policy=policy.default).parsebytes(data)
            part = _best_part(message)
            body, html = _body(part) if part is not None else (b"", False)
            attachments = _attachments(message)
            subject, date = _header(message, "subject"), _header(message, "date")
        except DAMAGE as error:
            raise damaged(source, "a mail", error) from error
        if html:
            inner = HTML.extract(body, source)
            text, encoding, notes = inner.text, inner.encoding, inner.notes
        else:
            declared = part.get_content_charset() if part is not None else None
            text, encoding, notes = decode(body, source, declared=declared)
        whole = with_attachments(text, attachments)
        made = document(
            data, source, whole.text, media_type="message/rfc822", encoding=encoding, title=subject or None,
            published=_date(date), notes=(*notes, *whole.notes),
        )  # fmt: skip
        return made, Statements(free=True, parts=tuple(whole.parts))


def _best_part(message: EmailMessage) -> EmailMessage | None:
    """The longest HTML part (newsletters), else the longest plain part."""
    best: dict[str, EmailMessage] = {}
    sizes: dict[str, int] = {}
    for number, part in enumerate(message.walk()):
        if number >= _MAX_PARTS:
            break
        kind = part.get_content_type()
        if kind not in ("text/html", "text/plain") or part.get_content_disposition() == "attachment":
            continue
        size = len(_payload(part))
        if size > sizes.get(kind, 0):
            best[kind], sizes[kind] = part, size
    return best.get("text/html") or best.get("text/plain")


def _attachments(message: EmailMessage) -> list[Attachment]:
    found: list[Attachment] = []
    for number, part in enumerate(message.walk()):
        if number >= _MAX_PARTS:
            break
        if part.is_multipart() or part.get_content_disposition() != "attachment":
            continue
        name = " ".join((part.get_filename() or part.get_content_type()).split())[:100]
        found.append(Attachment(name, part.get_content_type(), part.get_content_charset(), _payload(part)))
    return found


def _payload(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _body(part: EmailMessage) -> tuple[bytes, bool]:
    html = part.get_content_type() == "text/html"
    body = _payload(part)
    charset = part.get_content_charset()
    if html and charset and b"charset" not in body[:4096].lower():
        body = b'<meta charset="' + charset.encode("ascii", "ignore") + b'">' + body
    return body, html


def _header(message: EmailMessage, name: str) -> str:
    value = message.get(name)
    return " ".join(str(value).split())[:300] if value else ""


def _date(value: str) -> str | None:
    if not value:
        return None
    try:
        return parsedate_to_datetime(value).date().isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


FORMAT = _Mail()
