"""hinomi hunt: ask stored evidence again."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import click

from hinomi.cli.options import common, fail_on
from hinomi.cli.output import write
from hinomi.cli.results import exit_code
from hinomi.cli.settings import Settings
from hinomi.cli.show import show_scans
from hinomi.cli.words import say
from hinomi.model.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from hinomi.store.case import Case


@click.command("hunt", help=say("help.hunt"), short_help=say("help.hunt.short"), epilog=say("help.hunt.examples"))
@click.option("--report", metavar="ID", help=say("option.hunt-report"))
@click.option("--rule", metavar="ID", help=say("option.hunt-rule"))
@click.option("--sql", metavar="QUERY", help=say("option.hunt-sql"))
@fail_on
@common("table", "json", "jsonl", "csv", "sarif", "ocsf", "stix", "md", "html")
def COMMAND(settings: Settings, report: str | None, rule: str | None, sql: str | None) -> int:  # noqa: N802
    """Ask every finished run of the case."""
    if sum(v is not None for v in (report, rule, sql)) > 1:
        raise UsageError("usage", cause=say("hunt.one-of"))
    from hinomi.store.case import Case

    with Case.open(settings.case) as case:
        if not case.runs():
            raise UsageError("hunt.no-evidence", place=str(case.path), cause="no finished scan")
        if sql is not None:
            return _query(case, sql, settings)
        from hinomi.flow.hunting import hunt

        results = hunt(case, report=report, rule=rule, rule_folders=settings.rules)
        made = case.clock().isoformat()
    document = show_scans(results, made, settings)
    return exit_code(document.findings, document.coverage, settings.fail_on)


def _query(case: Case, sql: str, settings: Settings) -> int:
    from hinomi.flow.hunting import query

    columns, rows, coverage = query(case, sql)
    write(_rendered(columns, rows, settings), settings)
    return int(ExitCode.OK if coverage.complete else ExitCode.INCOMPLETE)


def _rendered(columns: list[str], rows: list[tuple[Any, ...]], settings: Settings) -> str:
    if settings.format == "table":
        from hinomi.cli.tables import render_rows

        return render_rows(columns, rows, settings)
    if settings.format == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        return out.getvalue()
    if settings.format not in ("json", "jsonl"):
        raise UsageError("usage", cause=say("hunt.sql-formats"))
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    if settings.format == "jsonl":
        return "".join(json.dumps(o, ensure_ascii=False, default=str) + "\n" for o in objects)
    return json.dumps(objects, ensure_ascii=False, default=str, indent=2) + "\n"
