"""What the tests of this room share: rows on disk, rules from text, findings from parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hinomi.detect.rowset import filled, write_rows
from hinomi.model.findings import Finding
from hinomi.model.text import Bilingual

SQL_RULE = """\
id: {id}
title: {{en: "A thing: {{subject}}", ja: "物: {{subject}}"}}
explanation: {{en: "{{subject}} does {{what}}", ja: "{{subject}}は{{what}}をする"}}
falsepositives: {{en: "none", ja: "なし"}}
level: {level}
confidence: 70
subject_type: file
behaviours: [boot-persistence]
attack: [T1547]
references: [https://example.org/]
responses: [preserve-evidence]
query: |
  {query}
"""


@pytest.fixture
def tables(tmp_path: Path) -> Callable[..., dict[str, list[Path]]]:
    """Write rows given by table (`files=[{...}]`) and return the files by table."""

    def write(**rows: list[dict[str, Any]]) -> dict[str, list[Path]]:
        folder = tmp_path / "evidence"
        folder.mkdir(exist_ok=True)
        return write_rows(folder, (filled(table, values) for table, listed in rows.items() for values in listed))

    return write


@pytest.fixture
def sql_rule(tmp_path: Path) -> Callable[..., Path]:
    """Write a SQL rule and return its folder."""

    def write(rule_id: str, query: str, level: str = "high") -> Path:
        folder = tmp_path / "rules"
        folder.mkdir(exist_ok=True)
        text = SQL_RULE.format(id=rule_id, level=level, query=query.replace("\n", "\n  "))
        (folder / f"{rule_id}.yml").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def finding() -> Iterator[Callable[..., Finding]]:
    """Make findings with telling defaults."""
    numbers = iter(range(1_000_000))

    def make(rule_id: str, subject: str, **changes: Any) -> Finding:
        values: dict[str, Any] = {
            "id": f"{next(numbers):016x}", "rule_id": rule_id, "rule_kind": "sql", "title": Bilingual(rule_id, rule_id),
            "explanation": Bilingual("x", "x"), "severity": "medium", "confidence": 60, "target": "host",
            "subject_type": "file", "subject_key": subject,
        }  # fmt: skip
        return Finding(**(values | changes))

    yield make
