"""hinomi doctor: what works here."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from hinomi.cli.options import common
from hinomi.cli.output import write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say


@click.command(
    "doctor", help=say("help.doctor"), short_help=say("help.doctor.short"), epilog=say("help.doctor.examples")
)
@common("table", "json")
def COMMAND(settings: Settings) -> int:  # noqa: N802
    """Print every check; the exit code is 0 whatever an optional part lacks, and 5 where the case cannot be used."""
    from hinomi.flow.doctor import examine

    checks = examine(settings.case)
    if settings.format == "json":
        write(json.dumps([asdict(c) for c in checks], ensure_ascii=False, indent=2) + "\n", settings)
    else:
        from hinomi.cli.tables import render_rows

        rows = [("✓" if c.ok else "✗", c.name, c.detail) for c in checks]
        write(render_rows(["", "check", "detail"], rows, settings), settings)
    return 0 if all(c.ok for c in checks if c.name in ("case", "journal", "rules")) else 5
