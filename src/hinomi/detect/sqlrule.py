"""SQL rules over one run, or over one run and the state before it: each runs by itself and gives drafts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from hinomi.detect.draft import Draft, draft_of
from hinomi.detect.rule import Rule, is_severity
from hinomi.detect.sql import BEFORE, QUERY_SECONDS, Queries, QueryTimeoutError, Result
from hinomi.model.errors import RuleError
from hinomi.model.findings import Coverage
from hinomi.model.tables import TABLES

MAX_FINDINGS = 2_000
MAX_SUBJECT = 8_192
_RESERVED = frozenset({"subject", "related", "severity", "confidence"})
_TABLES_BY_LENGTH = sorted(TABLES, key=len, reverse=True)
_ROW = re.compile(rf"({BEFORE}_)?(?:\w+_)?({'|'.join(_TABLES_BY_LENGTH)})_row")


def run_rules(
    evidence: Queries, rules: Iterable[Rule], coverage: Coverage, *, seconds: float = QUERY_SECONDS
) -> Iterator[Draft]:
    """Run SQL rules one by one; what fails, lasts too long or finds too much is a miss of that rule alone."""
    for rule in rules:
        try:
            yield from _hits(rule, evidence.query(rule.body, limit=MAX_FINDINGS, seconds=seconds), coverage)
            coverage.count("rules")
        except QueryTimeoutError as error:
            coverage.miss(f"rule:{rule.id}", str(rule.path), "timeout", str(error))
        except Exception as error:  # noqa: BLE001 - the border of one rule
            cause = error.cause if isinstance(error, RuleError) else repr(error)
            coverage.miss(f"rule:{rule.id}", str(rule.path), "failed", cause)


def _hits(rule: Rule, result: Result, coverage: Coverage) -> list[Draft]:
    if "subject" not in result.columns:
        raise RuleError("rule.sql", place=str(rule.path), cause="the query returns no column `subject`")
    if result.truncated:
        coverage.miss(f"rule:{rule.id}", str(rule.path), "truncated", f"more than {MAX_FINDINGS} hits")
    rows = [row for row in result.dicts() if row["subject"] is not None]
    return [_draft(rule, row) for row in sorted(rows, key=_order)]


def _order(row: dict[str, Any]) -> tuple[str, str]:
    return str(row["subject"]), repr(sorted(row.items()))


def _draft(rule: Rule, row: dict[str, Any]) -> Draft:
    changes: dict[str, Any] = {
        "evidence": tuple(_evidence(row)),
        "related": tuple(_related(row.get("related"))),
        "values": {k: v for k, v in row.items() if k not in _RESERVED and not evidence_table(k)},
    }
    if is_severity(row.get("severity")):
        changes["severity"] = row["severity"]
    if isinstance(row.get("confidence"), int | float | Decimal):
        changes["confidence"] = max(0, min(100, int(row["confidence"])))
    return draft_of(rule, str(row["subject"])[:MAX_SUBJECT], **changes)


def _related(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if one is not None:
            yield str(one)[:MAX_SUBJECT]


def evidence_table(column: str) -> str | None:
    """Return the table whose rows a result column holds, or None.

    `script_actions_row` and `other_scripts_row` give the table, `before_scripts_row` gives `before.scripts`.
    """
    match = _ROW.fullmatch(column)
    if match is None:
        return None
    return f"{BEFORE}.{match[2]}" if match[1] else match[2]


def _evidence(row: dict[str, Any]) -> Iterator[tuple[str, int]]:
    for column, value in row.items():
        table = evidence_table(column)
        if table is not None:
            for number in value if isinstance(value, list) else [value]:
                if isinstance(number, int):
                    yield table, number
