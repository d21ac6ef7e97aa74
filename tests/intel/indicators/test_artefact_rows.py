"""Names of mutexes, pipes, services and tasks in the rows of tables."""

from __future__ import annotations

import pytest

from hinomi.intel.extractors.indicators import EXTRACTOR
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document


def pairs(text: str) -> set[tuple[str, str]]:
    context = context_of(Document("r", text, None, "utf-8", "text/plain", "0" * 64))
    return {(c.type, c.value) for c in EXTRACTOR.extract(context) if c.type in {"mutex", "pipe", "service", "task"}}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("| Mutex | Global\\Egret01 |", ("mutex", "Global\\Egret01")),
        ("| Mutex | `egretlock` |", ("mutex", "egretlock")),
        ("| Mutex name | {A1B2-77} |", ("mutex", "{A1B2-77}")),
        ("| ミューテックス | Global\\Egret01 | 多重起動防止 |", ("mutex", "Global\\Egret01")),
        ("| Global\\Egret01 | Mutex |", ("mutex", "Global\\Egret01")),
        ("| Named pipe | egret_ctl |", ("pipe", "egret_ctl")),
        ("| Service | EgretHelperSvc |", ("service", "EgretHelperSvc")),
        ("| Windows service name | Egret Update Helper |", ("service", "Egret Update Helper")),
        ("| サービス名 | EgretSvc |", ("service", "EgretSvc")),
        ("| Scheduled task | EgretTask |", ("task", "EgretTask")),
        ("| タスク名 | EgretTask |", ("task", "EgretTask")),
    ],
)
def test_a_row_names_it(row: str, expected: tuple[str, str]) -> None:
    assert pairs(f"| Type | Value |\n|---|---|\n| SHA256 | {'ab' * 32} |\n{row}\n") == {expected}


@pytest.mark.parametrize(
    "table",
    [
        "| Mutex | Description |\n|---|---|\n",
        "| Service | Port |\n|---|---|\n| SSH | 22 |\n| WordPress | 443 |\n",
        "| Product | Service |\n|---|---|\n| WordPress | Hosting |\n",
        "| Service | Price |\n|---|---|\n| Service | 4500JPY |\n",
    ],
)
def test_heads_and_other_tables_name_nothing(table: str) -> None:
    assert pairs(table) == set()


def test_a_folder_of_the_scheduler_is_a_task_and_a_registry_key_is_none() -> None:
    text = "It makes `\\Microsoft\\Windows\\Egret\\Sync` and HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run."
    assert pairs(text) == {("task", "\\Microsoft\\Windows\\Egret\\Sync")}
