"""Plain text: the format of last resort, and the one that every other format ends in."""

from __future__ import annotations

from hinomi.intel.encoding import decode
from hinomi.intel.format import document
from hinomi.model.claims import Document


class _Text:
    name = "text"
    media_types = ("text/plain",)

    def sniff(self, data: bytes) -> int:
        return 1

    def extract(self, data: bytes, source: str) -> Document:
        text, encoding, notes = decode(data, source)
        return document(data, source, text, media_type="text/plain", encoding=encoding, notes=notes)


FORMAT = _Text()
