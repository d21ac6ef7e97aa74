"""A person's own SQL over the evidence of many runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hinomi.detect.sql import Evidence, QueryTimeoutError
from hinomi.model.errors import RuleError, UsageError

HUNT_SECONDS = 300.0


def ask(
    runs: Sequence[tuple[str, str, Mapping[str, Sequence[Path]]]],
    sql: str,
    *,
    limit: int = 10_000,
    seconds: float = HUNT_SECONDS,
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one SELECT over runs given as (host, run id, tables); return column names and at most `limit` rows.

    Every view has the columns `host` and `run` beside its own, taken from the folders of the files. `UsageError` for a
    query that is no single SELECT, does not bind or takes longer than `seconds`, and for evidence that cannot be read.
    """
    tables: dict[str, list[Path]] = defaultdict(list)
    for _, _, files in runs:
        for table, paths in files.items():
            tables[table] += paths
    with Evidence(tables, partitions=True) as evidence:
        if evidence.problems:
            table, cause = evidence.problems[0]
            raise UsageError("query.evidence", place=table, cause=cause)
        try:
            result = evidence.query(sql, limit=limit, seconds=seconds)
        except RuleError as error:
            raise UsageError("query.wrong", place="--sql", cause=error.cause) from error
        except QueryTimeoutError as error:
            raise UsageError("query.timeout", place="--sql", cause=str(error)) from error
    return list(result.columns), result.rows
