"""What reading one file gave, in a form that crosses processes and is kept between scans.

One JSON text; most files give a size, a digest and a type and nothing else, and have a form of a few bytes for that.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hinomi.model.findings import Coverage, Miss
from hinomi.model.tables import TABLES, Row, columns_of, table_of

_PLAIN = struct.Struct("<cQ32sB")  # mark, size, SHA-256, which other digest; then its bytes, then the content type
_MARK = b"P"  # JSON begins with a bracket
_KINDS = (None, "md5", "sha1", "sha256")
_LENGTHS = (0, 16, 20, 0)


@dataclass(slots=True)
class Reading:
    """One regular file's content as digest, type and rows. `sha256` is None where it could not be read."""

    size: int = 0  # bytes read
    sha256: str | None = None
    content_type: str | None = None
    digest_kind: str | None = None  # which digest the package database has for it
    digest: str | None = None  # ... the digest of that kind, else the SHA-256
    xattrs: list[str] = field(default_factory=list)
    capabilities: str | None = None  # hex
    acl: str | None = None
    label: str | None = None
    rows: list[Row] = field(default_factory=list)
    coverage: Coverage | None = None  # what is to be said beyond "one file of `size` bytes"
    linked: bool = False  # from another name of the same file: nothing was read
    payload: bytes | None = field(default=None, compare=False, repr=False)  # itself encoded, where it may be kept

    def tell(self, coverage: Coverage) -> None:
        """Add this file to what was examined."""
        if self.linked:
            coverage.examined["hard-links"] += 1
        elif self.sha256 is not None:
            coverage.examined["files"] += 1
            coverage.examined["bytes"] += self.size
        if self.coverage is not None:
            coverage.merge(self.coverage)


def encode(reading: Reading) -> bytes:
    """Return the reading as bytes; `TypeError` where a row holds what JSON cannot."""
    if not (reading.rows or reading.xattrs or reading.coverage is not None or reading.sha256 is None):
        return _plain(reading, reading.sha256)
    rows = [row_values(row) for row in reading.rows]
    digest = None if reading.digest == reading.sha256 else reading.digest
    body = [
        reading.size, reading.sha256, reading.content_type, reading.digest_kind, digest, reading.xattrs,
        reading.capabilities, reading.acl, reading.label, rows, coverage_said(reading.coverage),
    ]  # fmt: skip
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def _plain(reading: Reading, sha256: str) -> bytes:
    kind = _KINDS.index(reading.digest_kind)
    other = bytes.fromhex(reading.digest or "") if _LENGTHS[kind] else b""
    head = _PLAIN.pack(_MARK, reading.size, bytes.fromhex(sha256), kind)
    return b"".join((head, other, (reading.content_type or "").encode("ascii")))


def _of_plain(payload: bytes) -> Reading:
    _, size, digest, kind = _PLAIN.unpack_from(payload)
    end = _PLAIN.size + _LENGTHS[kind]
    sha256 = digest.hex()
    other = payload[_PLAIN.size : end].hex() or sha256
    return Reading(size, sha256, payload[end:].decode("ascii") or None, _KINDS[kind], other)


def decode(payload: bytes) -> Reading:
    """Return the reading; `ValueError` where the bytes are none."""
    try:
        if payload[:1] == _MARK:
            return _of_plain(payload)
        size, sha256, kind, digest_kind, digest, xattrs, *rest = json.loads(payload.decode("ascii"))
        capabilities, acl, label, rows, said = rest
        made = [row_of(values) for values in rows] if rows else []
        coverage = coverage_told(said)
        return Reading(
            size, sha256, kind, digest_kind, digest or sha256, xattrs, capabilities, acl, label, made, coverage
        )  # fmt: skip
    except (ValueError, TypeError, LookupError, RecursionError, struct.error) as error:
        raise ValueError("not a reading") from error


def row_values(row: Row) -> list[Any]:
    """Return a row as its table's name and its values."""
    return [table_of(type(row)).name, list(vars(row).values())]


def row_of(values: list[Any]) -> Row:
    """Return the row of `row_values`; `LookupError`, `TypeError` or `ValueError` for other values."""
    name, columns = values
    return TABLES[name](**dict(zip(_columns(name), columns, strict=True)))


@cache
def _columns(name: str) -> tuple[str, ...]:
    return tuple(column.name for column in columns_of(TABLES[name]))


def coverage_said(coverage: Coverage | None) -> list[Any] | None:
    """Return a coverage as what JSON can hold."""
    if coverage is None:
        return None
    misses = [[m.area, m.subject, m.reason, m.detail, m.transient] for m in coverage.misses]
    return [coverage.examined, coverage.skipped, coverage.missed, misses]


def coverage_told(said: list[Any] | None) -> Coverage | None:
    """Return the coverage of `coverage_said`."""
    if said is None:
        return None
    coverage = Coverage()
    examined, skipped, missed, misses = said
    coverage.examined.update(examined)
    coverage.skipped.update(skipped)
    coverage.missed.update(missed)
    coverage.misses = [Miss(*miss) for miss in misses]
    return coverage
