"""JSON (a MISP event, a STIX bundle, any feed) as text: one line a value, keys kept as words around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hinomi.intel.encoding import decode
from hinomi.intel.format import document
from hinomi.intel.jsontree import looks_like_json, parsed
from hinomi.model.claims import Document

_MAX_LINES = 500_000


class _Json:
    name = "json"
    media_types = ("application/json", "application/stix+json", "application/taxii+json")

    def sniff(self, data: bytes) -> int:
        if not looks_like_json(data):
            return 0
        return 70 if parsed(data) is not None else 0

    def extract(self, data: bytes, source: str) -> Document:
        text, encoding, notes = decode(data, source)
        lines = []
        for number, line in enumerate(_lines(parsed(data))):
            if number >= _MAX_LINES:
                notes = (*notes, f"only the first {_MAX_LINES} values were read")
                break
            lines.append(line)
        title = _title(parsed(data))
        return document(
            data,
            source,
            "\n".join(lines) or text,
            media_type="application/json",
            encoding=encoding,
            title=title,
            notes=notes,
        )


def _lines(root: Any) -> Iterator[str]:
    """Walk without recursion, in document order."""
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        key, value = stack.pop()
        if isinstance(value, dict):
            stack += [(str(k), v) for k, v in reversed(value.items())]
        elif isinstance(value, list):
            stack += [(key, v) for v in reversed(value)]
        elif value is not None and not isinstance(value, bool):
            yield f"{key}: {value}" if key else str(value)


def _title(root: Any) -> str | None:
    event = root.get("Event", root) if isinstance(root, dict) else {}
    for key in ("title", "info", "name"):
        if isinstance(event, dict) and isinstance(event.get(key), str) and event[key].strip():
            return " ".join(event[key].split())[:300]
    return None


FORMAT = _Json()
