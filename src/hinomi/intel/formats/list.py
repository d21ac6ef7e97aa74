"""Indicator lists, CSV and JSON: tables whose columns say what is an indicator, its type, role and confidence."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from hinomi.intel.composing import Composer
from hinomi.intel.encoding import decode
from hinomi.intel.format import DAMAGE, Statements, damaged, document
from hinomi.intel.jsontree import looks_like_json, parsed, trees, word
from hinomi.intel.normal import clean, normal
from hinomi.model.claims import CLAIM_TYPES, ClaimRole, ClaimType, Document
from hinomi.model.errors import ReportError

_VALUE = (
    "value",
    "indicator",
    "ioc",
    "ioc_value",
    "indicator_value",
    "observable",
    "artifact",
    "data",
    "値",
    "指標",
    "インジケータ",
    "インジケーター",
)
_TYPE = ("type", "indicator_type", "ioc_type", "kind", "datatype", "data_type", "種別", "種類", "タイプ")
_ROLE = ("role", "category", "役割")
_PROSE = ("description", "comment", "note", "notes", "comments", "説明", "備考", "コメント")
_CONFIDENCE = ("confidence", "score", "確度")
_LISTS = ("indicators", "iocs", "data", "results", "items", "observables", "objects", "response", "values")
_NAMES: dict[str, ClaimType | None] = {
    "ip": "ipv4", "ipaddress": "ipv4", "ip_address": "ipv4", "ipv4_address": "ipv4", "ip-dst": "ipv4",
    "ip-src": "ipv4", "hostname": "domain", "host": "domain", "fqdn": "domain", "uri": "url", "link": "url",
    "email_address": "email", "sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512", "filehash-md5": "md5",
    "filehash-sha1": "sha1", "filehash-sha256": "sha256", "md5_hash": "md5", "sha1_hash": "sha1",
    "sha256_hash": "sha256", "file_name": "filename", "file": "filename", "path": "filepath", "file_path": "filepath",
    "registry": "registry-key", "regkey": "registry-key", "useragent": "user-agent", "user_agent": "user-agent",
    "vulnerability": "cve", "technique": "attack-technique", "hash": None, "ip:port": None, "filehash": None,
    "ipアドレス": "ipv4", "ドメイン": "domain", "ファイル名": "filename", "ハッシュ値": None, "ハッシュ": None,
    "メールアドレス": "email",
}  # fmt: skip
_CELLS: dict[str, ClaimType] = {
    "scheduled task": "task", "scheduled_task": "task", "task name": "task", "windows-scheduled-task": "task",
    "service name": "service", "service_name": "service", "windows-service-name": "service", "named pipe": "pipe",
    "named_pipe": "pipe", "ja3s": "ja3", "onion": "domain", "btc": "wallet", "bitcoin": "wallet",
    "ミューテックス": "mutex", "サービス": "service", "サービス名": "service", "タスク": "task", "タスク名": "task",
    "名前付きパイプ": "pipe", "ドメイン名": "domain", "ファイルパス": "filepath", "レジストリ": "registry-key",
    "レジストリキー": "registry-key",
}  # fmt: skip
"""Words for types in a column of types; a column named so may hold anything."""
_ROLES: frozenset[str] = frozenset(get_args(ClaimRole))
_ROLE_WORDS: dict[str, ClaimRole] = {
    "c2": "command-and-control", "c&c": "command-and-control", "botnet_cc": "command-and-control",
    "payload": "sample", "payload_delivery": "delivery", "malware_download": "delivery", "phishing": "delivery",
}  # fmt: skip
_COLUMNS: frozenset[str] = frozenset(_NAMES) - {"link", "file", "path", "host", "uri"} | frozenset(
    "ipv4 ipv6 cidr domain url email md5 sha1 sha256 sha512 ssdeep imphash tlsh filename filepath registry-key mutex"
    " user-agent cve ja3 jarm wallet".split()
)
"""Columns that hold indicators where no column of types says so."""
_HEAD, _HEAD_LINES = 1 << 16, 60
_SHOWN = frozenset({"suggested", "accepted", "rejected"})
_SAMPLE_ROWS = 40
Row = Mapping[str, Any]


class _List:
    name = "list"
    media_types = ("text/csv", "application/json")

    def sniff(self, data: bytes) -> int:
        rows = list(itertools.islice(_rows(data), _SAMPLE_ROWS))
        told = sum(1 for row in rows if next(_values(row), None) is not None)
        return 78 if told and told * 2 >= len(rows) else 0

    def extract(self, data: bytes, source: str) -> Document:
        return self.read(data, source)[0]

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        composer = Composer()
        try:
            for row in _rows(data):
                _row(composer, row)
        except DAMAGE as error:
            raise damaged(source, "an indicator list", error) from error
        stated = composer.statements()
        json_ = looks_like_json(data)
        return document(
            data, source, composer.text, media_type="application/json" if json_ else "text/csv", encoding="utf-8",
            notes=tuple(composer.notes),
        ), stated  # fmt: skip


def _rows(data: bytes) -> Iterator[Row]:
    """Yield rows with folded column names; nothing where the bytes are no table with a column of indicators."""
    rows = _json_rows(data) if looks_like_json(data) else _csv_rows(data)
    for row in rows:
        yield {str(k).strip().casefold().replace(" ", "_"): v for k, v in row.items() if k is not None}


def _json_rows(data: bytes) -> Iterable[Row]:
    root = parsed(data)
    if isinstance(root, dict):
        root = next((root[key] for key in _LISTS if isinstance(root.get(key), list)), None)
    return trees(root) if isinstance(root, list) else ()


def _csv_rows(data: bytes) -> Iterator[Row]:
    header, lines_before = _header(data)
    mark = max(",\t;", key=header.count)
    columns = [c.strip().strip('"').casefold() for c in header.split(mark)]
    if not 2 <= len(columns) <= 200 or not _tells(columns):
        return
    text = decode(data, "list")[0].removeprefix("\ufeff")
    lines = text.split("\n")[lines_before + 1 :]
    body = (line for line in lines if not line.startswith("#"))
    with contextlib.suppress(csv.Error):  # a field beyond all bounds: what stands before it is kept
        yield from csv.DictReader(io.StringIO("\n".join(body)), fieldnames=columns, delimiter=mark)


def _header(data: bytes) -> tuple[str, int]:
    """Return the first line that holds columns (a `#` before it is dropped) and how many lines stand before it."""
    for number, line in enumerate(data[:_HEAD].split(b"\n")[:_HEAD_LINES]):
        plain = line.removeprefix(b"\xef\xbb\xbf").lstrip(b"# ").strip()
        if any(mark in plain for mark in (b",", b"\t", b";")) and b"\0" not in plain:
            with contextlib.suppress(ReportError):
                return decode(plain, "list")[0], number
            return "", 0
        if plain and not line.startswith(b"#"):
            return "", 0
    return "", 0


def _tells(columns: Iterable[str]) -> bool:
    """Whether a header speaks of indicators: a column of values beside one of types, or columns named after types."""
    names = {column.replace(" ", "_") for column in columns}
    paired = not names.isdisjoint(_VALUE) and not names.isdisjoint(_TYPE)
    return paired or not names.isdisjoint(_COLUMNS)


def _values(row: Row) -> Iterator[tuple[str, ClaimType | None, str]]:
    """Yield (label, claim type, value) of one row, those whose value has the form of their type."""
    value = _first(row, _VALUE)
    if value:
        kind, known = _kind(_first(row, _TYPE))
        if normal(kind if known else None, value):
            yield _first(row, _TYPE) or "indicator", kind if known else None, value
        return
    for column, cell in row.items():
        kind, known = _kind(column)
        if known and column in _COLUMNS and word(cell) and normal(kind, word(cell)):
            yield column, kind, word(cell)


def _kind(name: str) -> tuple[ClaimType | None, bool]:
    folded = name.strip().casefold()
    if folded in CLAIM_TYPES:
        return folded, True  # type: ignore[return-value]
    return _NAMES.get(folded, _CELLS.get(folded)), folded in _NAMES or folded in _CELLS


def _row(composer: Composer, row: Row) -> None:
    if word(row.get("status")) == "rejected":
        return
    role = _role(row)
    ours = word(row.get("status")) in _SHOWN and "canonical" in row
    for label, kind, value in _values(row):
        if ours and kind is not None:  # our own list says the role exactly
            composer.claim(
                label, kind, _plain(value), role, why="a row of the list", confidence=_confidence(row),
                canonical=clean(_plain(word(row.get("canonical")))) or None,
            )  # fmt: skip
        else:
            composer.indicator(label, kind, value, role, why="a row of the list", confidence=_confidence(row))
    for column in _PROSE:
        composer.prose(column, word(row.get(column)))


def _plain(cell: str) -> str:
    """Take off the apostrophe that our list puts before what a spreadsheet would run."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell


def _role(row: Row) -> ClaimRole:
    said = _first(row, _ROLE).casefold()
    if said in _ROLES:
        return said  # type: ignore[return-value]
    return _ROLE_WORDS.get(said, "malicious")


def _confidence(row: Row) -> int:
    said = _first(row, _CONFIDENCE)
    return max(0, min(100, int(said))) if said.isascii() and said.isdigit() and len(said) < 4 else 80


def _first(row: Row, names: Iterable[str]) -> str:
    return next((said.strip() for name in names if (said := word(row.get(name)))), "")


FORMAT: Any = _List()
