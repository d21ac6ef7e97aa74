"""Indicator lists, CSV and JSON: tables whose columns say what is an indicator, its type, role and confidence."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, get_args

from hinomi.intel.composing import Composer
from hinomi.intel.format import DAMAGE, Statements, damaged, document
from hinomi.intel.indicators.roles import said as role_said
from hinomi.intel.jsontree import day, looks_like_json, word, words
from hinomi.intel.lists.rows import Row, Value, first, rows_of, values_of
from hinomi.intel.normal import clean
from hinomi.intel.vocabulary import columns
from hinomi.intel.vocabulary.names import name_index
from hinomi.model.claims import ClaimRole, ClaimType, Document

_ROLES: frozenset[str] = frozenset(get_args(ClaimRole))
_ROLE_WORDS: dict[str, ClaimRole] = {
    "c2": "command-and-control", "c&c": "command-and-control", "botnet_cc": "command-and-control",
    "command_and_control": "command-and-control", "payload": "sample", "payload_delivery": "delivery",
    "malware_download": "delivery", "phishing": "delivery",
}  # fmt: skip
_C2 = frozenset({"c2", "cc", "c2s", "command", "通信先", "接続先"})
_SHOWN = frozenset({"suggested", "accepted", "rejected"})
_SAMPLE_ROWS = 40
_NAME = re.compile(r"[^\W\d_][\w .&()/-]{1,39}")
_NO_NAME = frozenset("unknown none null n/a na yes no true false malware malicious 不明 なし 未特定".split())
_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")
_SHORT = 80
_SAID_ONCE = 20_000
"""Different further cells kept: a list says the same reporter and the same tag on every row."""


class _List:
    name = "list"
    media_types = ("text/csv", "application/json")

    def sniff(self, data: bytes) -> int:
        rows = [row for row in itertools.islice(rows_of(data), 2 * _SAMPLE_ROWS) if not row.head][:_SAMPLE_ROWS]
        told = sum(1 for row in rows if values_of(row.cells))
        return 78 if told and told * 2 >= len(rows) else 0

    def extract(self, data: bytes, source: str) -> Document:
        return self.read(data, source)[0]

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        reading = _Reading()
        try:
            for row in rows_of(data):
                reading.take(row)
        except DAMAGE as error:
            raise damaged(source, "an indicator list", error) from error
        composer = reading.composer
        stated = composer.statements()
        json_ = looks_like_json(data)
        return document(
            data, source, composer.text, media_type="application/json" if json_ else "text/csv", encoding="utf-8",
            title=reading.title or PurePosixPath(source).name or None, published=reading.published,
            notes=tuple(composer.notes),
        ), stated  # fmt: skip


class _Reading:
    """What a list said so far; its first head gives title and date, an entry never does."""

    def __init__(self) -> None:
        self.composer = Composer()
        self.title: str | None = None
        self.published: str | None = None
        self._begun = False
        self._cells: set[tuple[str, str]] = set()

    def take(self, row: Row) -> None:
        """Compose one row."""
        if row.head:
            self._head(row.cells)
            return
        self._begun = True
        cells = row.cells
        if word(cells.get("status")) == "rejected":
            return
        values = values_of(cells)
        for value in values:
            self._value(cells, value)
        self._names(cells)
        told = {*(v.column for v in values), *columns.TYPE, *columns.CONFIDENCE, "canonical"}
        self._further(cells, told if values else set())  # a row without a value may be anything, words below a table

    def _head(self, cells: Mapping[str, Any]) -> None:
        if not self._begun:
            self.title = self.title or clean(first(cells, (*columns.TITLE, "")), 300) or None
            dated = (day(cells.get(name)) for name in columns.DATE)
            self.published = self.published or next((known for known in dated if known), None)
        self._names(cells)
        for item in _listed(cells, columns.TECHNIQUE):
            if _TECHNIQUE.fullmatch(item):
                self.composer.claim("technique", "attack-technique", item, why="named by the list", confidence=90)
        self._further(cells, {*columns.DATE, *columns.TECHNIQUE})

    def _value(self, cells: Mapping[str, Any], value: Value) -> None:
        label, kind, text, column = value
        role, confidence = _role(cells, column), _confidence(cells)
        if kind is not None and "canonical" in cells and word(cells.get("status")) in _SHOWN:
            self.composer.claim(  # our own list says the role exactly
                label, kind, _plain(text), role, why="a row of the list", confidence=confidence,
                canonical=clean(_plain(word(cells.get("canonical")))) or None,
            )  # fmt: skip
        else:
            self.composer.indicator(label, kind, text, role, why="a row of the list", confidence=confidence)

    def _names(self, cells: Mapping[str, Any]) -> None:
        named: tuple[tuple[tuple[str, ...], ClaimType], ...] = ((columns.MALWARE, "malware"), (columns.ACTOR, "actor"))
        for names, kind in named:
            for item in _listed(cells, names):
                if _NAME.fullmatch(item) and item.split()[0].casefold() not in _NO_NAME:
                    self.composer.claim(
                        kind, kind, item, why="a column of names", confidence=85, canonical=_canonical(kind, item)
                    )

    def _further(self, cells: Mapping[str, Any], taken: set[str]) -> None:
        """Keep what else a row says: free text, in which claims are looked for, and notes of the list's making."""
        told = {*taken, *columns.MALWARE, *columns.ACTOR, *(n for n in columns.ROLE if word(cells.get(n)) in _ROLES)}
        for column, cell in cells.items():
            if column in told:
                continue
            for said in words(cell):
                if not _telling(said) or (column, said) in self._cells:
                    continue
                if len(self._cells) < _SAID_ONCE:
                    self._cells.add((column, said))
                self._say(column, said)

    def _say(self, column: str, said: str) -> None:
        if column in columns.PROSE or columns.APART.isdisjoint(column.split("_")):
            self.composer.prose(column, said)
        else:
            self.composer.note(column, said)


def _listed(cells: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    """Return the texts of the first of the named cells that holds any."""
    return next((said for name in names if (said := [s.strip() for s in words(cells.get(name)) if s.strip()])), [])


def _canonical(kind: ClaimType, name: str) -> str | None:
    forms = (form.name for form in name_index().lookup(name))
    return next((known.canonical for known in forms if (known.kind == "actor") == (kind == "actor")), None)


def _telling(said: str) -> bool:
    """Whether a further cell says anything in words: a number or a date alone does not."""
    return len(said) > 2 and any(c.isalpha() for c in said)


def _plain(cell: str) -> str:
    """Take off the apostrophe that our list puts before what a spreadsheet would run."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell


def _role(cells: Mapping[str, Any], column: str) -> ClaimRole:
    """What the row says outright, then its column's name, then its short remark."""
    said = first(cells, columns.ROLE).casefold()
    if said in _ROLES:
        return said  # type: ignore[return-value]
    if said in _ROLE_WORDS:
        return _ROLE_WORDS[said]
    if not _C2.isdisjoint(column.split("_")) or any(w in column for w in ("通信先", "接続先")):
        return "command-and-control"
    told = role_said(f"{said} {first(cells, columns.PROSE).casefold()}"[:_SHORT])
    return told if told in ("command-and-control", "delivery") else "malicious"


def _confidence(cells: Mapping[str, Any]) -> int:
    said = first(cells, columns.CONFIDENCE)
    return max(0, min(100, int(said))) if said.isascii() and said.isdigit() and len(said) < 4 else 80


FORMAT: Any = _List()
