"""The contracts as JSON Schema, and the evidence tables as schema and reference page."""

from __future__ import annotations

import json
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from hinomi.model.tables import TABLES, columns_of, table_of

FOLDER = Path(__file__).parent.parent / "model" / "schemas"
_JSON_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    list[str]: {"type": "array", "items": {"type": "string"}},
    list[int]: {"type": "array", "items": {"type": "integer"}},
}


def names() -> list[str]:
    """Return every schema's name: the contracts, then the tables."""
    return [*sorted(p.stem for p in FOLDER.glob("*.json")), *TABLES]


def schema(name: str) -> dict[str, Any]:
    """Return a JSON Schema (2020-12)."""
    if name in TABLES:
        return _table_schema(name)
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return loaded


def table_page(name: str) -> str:
    """Return the reference page of a table as Markdown; of a contract, its schema in a code block."""
    if name not in TABLES:
        return f"# {name}\n\n```json\n{json.dumps(schema(name), indent=2)}\n```\n"
    cls = TABLES[name]
    lines = [f"# {name}", "", table_of(cls).doc, "", "| column | type | meaning |", "|---|---|---|"]
    lines += [f"| {c.name} | {_type_name(c.type)} | {c.doc.replace('|', '/')} |" for c in columns_of(cls)]
    lines.append("| row | int | Row number within table and run. |")
    return "\n".join(lines) + "\n"


def _table_schema(name: str) -> dict[str, Any]:
    cls = TABLES[name]
    properties = {c.name: _json_type(c.type) | {"description": c.doc} for c in columns_of(cls)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, "description": table_of(cls).doc,
        "type": "object", "properties": properties, "required": list(properties),
    }  # fmt: skip


def _json_type(annotation: Any) -> dict[str, Any]:
    inner = [a for a in get_args(annotation) if a is not NoneType]
    if annotation in _JSON_TYPES:
        return dict(_JSON_TYPES[annotation])
    base = _JSON_TYPES[inner[0]]
    return {**base, "type": [base["type"], "null"]}


def _type_name(annotation: Any) -> str:
    inner = [a for a in get_args(annotation) if a is not NoneType]
    if annotation in _JSON_TYPES:
        return str(annotation.__name__ if annotation in (str, int, float, bool, bytes) else annotation)
    return f"{getattr(inner[0], '__name__', inner[0])}?"
