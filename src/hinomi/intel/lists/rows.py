"""CSV and JSON of every shape as rows: a header with columns, objects in lists or by their number, values by type."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hinomi.intel.encoding import decode
from hinomi.intel.jsontree import looks_like_json, parsed, word
from hinomi.intel.normal import normal
from hinomi.intel.vocabulary.columns import TITLE, TYPE, VALUE, column_of, folded, kind_of
from hinomi.model.claims import ClaimType
from hinomi.model.errors import ReportError

_HEAD, _HEAD_LINES = 1 << 14, 60
_LONG_NAME = 60
"""Letters between two marks of a line that is prose."""
_MAX_COLUMNS, _MAX_DEPTH = 200, 12
_REST = "rest"
_KEYED = frozenset({"ipv4", "ipv6", "md5", "sha1", "sha256", "sha512", "url"})
_HEADS = frozenset({*TITLE, "author", "author_name", "description"})
_UNTOLD: tuple[ClaimType | None, bool] = (None, False)


class Value(NamedTuple):
    """A value of a row: the word that says its type, that type (None: the value decides) and the value."""

    label: str
    kind: ClaimType | None
    text: str
    column: str


class Row(NamedTuple):
    """One row with folded column names; a `head` is no entry of the list: it tells of the list or of a part of it."""

    cells: Mapping[str, Any]
    head: bool = False


def rows_of(data: bytes) -> Iterator[Row]:
    """Yield rows in the order of the document; nothing where the bytes are no table with a column of indicators."""
    return _json_rows(data) if looks_like_json(data) else _csv_rows(data)


def values_of(row: Mapping[str, Any]) -> list[Value]:
    """Return the values of a row that have the form of their type: of its column of values, else of all columns."""
    value = first(row, VALUE)
    label = first(row, TYPE)
    if value:
        kind, known = kind_of(label) if label else _UNTOLD
        column = next(name for name in VALUE if word(row.get(name)).strip())
        whole = _whole(kind if known else None, value)
        if whole:
            return [Value(label or "indicator", kind if known else None, whole, column)]
    found = []
    for column, cell in row.items():
        kind, known = column_of(column)
        if known and column not in VALUE and (whole := _whole(kind, word(cell))):
            found.append(Value(column, kind, whole, column))
    return found


def _whole(kind: ClaimType | None, cell: str) -> str:
    """Return the value as it can be read, without the port that lists put behind an address."""
    value = cell.strip()
    if not value or normal(kind, value):
        return value
    host, mark, port = value.rpartition(":")
    if mark and port.isascii() and port.isdigit() and len(port) < 6 and normal(kind, host):
        return host
    return ""


def first(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of the named cells that says anything."""
    return next((said.strip() for name in names if (said := word(row.get(name)))), "")


def _csv_rows(data: bytes) -> Iterator[Row]:
    if b"\0" in data[:_HEAD] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    with contextlib.suppress(ReportError):
        found = _header(decode(data[: _HEAD + _HEAD % 2], "list")[0])
        if found is None:
            return
        columns, mark, number = found
        lines = decode(data, "list")[0].removeprefix("\ufeff").split("\n")
        yield from _before(lines[:number])
        body = (line + "\n" for line in lines[number + 1 :] if not line.startswith("#"))
        yield from _table(body, columns, mark)


def _before(lines: list[str]) -> Iterator[Row]:
    """What stands before the header: a title, a date, a remark."""
    for line in lines:
        if said := line.strip('#;,\t "'):
            yield Row({"": said}, head=True)


def _table(body: Iterator[str], columns: list[str], mark: str) -> Iterator[Row]:
    with contextlib.suppress(csv.Error):  # a field beyond all bounds: what stands before it is kept
        for row in csv.DictReader(body, columns, delimiter=mark, skipinitialspace=True, restkey=_REST):
            rest = row.pop(_REST, None)
            yield Row(row | {_REST: " ".join(rest)} if isinstance(rest, list) else row)


def _header(text: str) -> tuple[list[str], str, int] | None:
    """Return the columns, what parts them and the number of the first line whose words tell of indicators."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n")[:_HEAD_LINES]):
        if "," not in line and "\t" not in line and ";" not in line:
            continue
        plain = line.lstrip("# ").strip()
        mark = max(",\t;", key=plain.count)
        if mark not in plain or max(map(len, plain.split(mark))) > _LONG_NAME:
            continue
        with contextlib.suppress(csv.Error):
            cells = next(csv.reader(io.StringIO(plain), delimiter=mark, skipinitialspace=True), [])
            columns = [folded(cell) for cell in cells]
            if 2 <= len(columns) <= _MAX_COLUMNS and _tells(columns):
                return [name or f"column {at}" for at, name in enumerate(columns)], mark, number
    return None


def _tells(columns: list[str]) -> bool:
    """Whether a header speaks of indicators: a column of values beside one of types, or columns named after types."""
    paired = any(name in VALUE for name in columns) and any(name in TYPE for name in columns)
    return paired or any(column_of(name)[1] for name in columns)


def _json_rows(data: bytes) -> Iterator[Row]:
    """Walk without recursion, in the order of the document; what is below `_MAX_DEPTH` is left out."""
    stack: list[tuple[str, Any, int]] = [("", parsed(data), 0)]
    while stack:
        key, node, depth = stack.pop()
        if depth > _MAX_DEPTH:
            continue
        if isinstance(node, list):
            stack += [(key, item, depth + 1) for item in reversed(node)]
        elif isinstance(node, dict):
            row, inner = _object(key, node)
            if row is not None:
                yield row
            stack += [(name, item, depth + 1) for name, item in reversed(inner)]
        elif said := word(node):
            yield Row({folded(key) if column_of(key)[1] else "indicator": said})


def _object(key: str, node: dict[str, Any]) -> tuple[Row | None, list[tuple[str, Any]]]:
    """Return the row that an object is, and what of it holds rows of its own."""
    cells = {folded(name): value for name, value in node.items() if not _holds(name, value)}
    inner = [(name, value) for name, value in node.items() if _holds(name, value)]
    if inner and not _HEADS.isdisjoint(cells):
        return Row(cells, head=True), inner
    guess = normal(None, key) if len(key) > 6 else None
    if guess is not None and guess.type in _KEYED:
        cells = {"indicator": key, **cells}
    elif first(cells, VALUE) and not first(cells, TYPE) and key:
        cells = {**cells, "type": key}
    return (Row(cells, head=bool(inner) and not values_of(cells)) if cells else None), inner


def _holds(name: str, value: Any) -> bool:
    """Whether a member holds further rows: objects, or values below the name of their type."""
    if isinstance(value, dict):
        return True
    if not isinstance(value, list) or not value:
        return False
    return any(isinstance(item, (dict, list)) for item in itertools.islice(value, 20)) or column_of(name)[1]
