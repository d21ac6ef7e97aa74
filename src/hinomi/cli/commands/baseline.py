"""hinomi baseline: what changed. So far `diff`; signed baselines come with the watch."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hinomi.cli.options import common
from hinomi.cli.output import tell, write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say


@click.group(
    "baseline", help=say("help.baseline"), short_help=say("help.baseline.short"), epilog=say("help.baseline.examples")
)
@click.help_option("-h", "--help", help=say("help.help"))
def COMMAND() -> None:  # noqa: N802
    """Hold the sub-commands."""


@COMMAND.command("diff", help=say("help.baseline.diff"), epilog=say("help.baseline.examples"))
@click.option("--old", metavar="RUN", help=say("option.old"))
@click.option("--new", metavar="RUN", help=say("option.new"))
@common("table", "json", "jsonl")
def diff(settings: Settings, old: str | None, new: str | None) -> int:
    """Show what changed between two scans."""
    from hinomi.flow.comparing import difference
    from hinomi.store.case import Case

    with Case.open(settings.case) as case:
        _, _, changes = difference(case, old, new)
    if settings.format == "table":
        from hinomi.cli.tables import render_rows

        rows = [(c.what, c.path, ", ".join(c.attributes)) for c in changes]
        write(render_rows(["", "path", "attributes"], rows, settings), settings)
    elif settings.format == "jsonl":
        write("".join(json.dumps(c.to_json(), ensure_ascii=False) + "\n" for c in changes), settings)
    else:
        write(json.dumps([c.to_json() for c in changes], ensure_ascii=False, indent=2) + "\n", settings)
    counts = {what: sum(c.what == what for c in changes) for what in ("added", "removed", "changed")}
    tell(settings, say("baseline.summary", **counts))
    return 0


@COMMAND.command("key", help=say("help.baseline.key"), epilog=say("help.baseline.key.examples"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--no-passphrase", is_flag=True, help=say("option.no-passphrase"))
@click.option("--passphrase-fd", type=click.IntRange(0), metavar="N", help=say("option.passphrase-fd"))
@common("table", "json")
def key(settings: Settings, file: Path, no_passphrase: bool, passphrase_fd: int | None) -> int:
    """Make a signing key and its public half beside it."""
    from hinomi.cli.signingkey import passphrase
    from hinomi.watch.signing import new_key

    made = new_key(file, None if no_passphrase else passphrase(file, passphrase_fd, new=True) or b"")
    if settings.format == "json":
        body = {"key": str(file), "public": f"{file}.pub", "fingerprint": made.fingerprint}
        write(json.dumps(body, ensure_ascii=False, indent=2) + "\n", settings)
    else:
        write(say("signing.made", path=str(file), fingerprint=made.fingerprint) + "\n", settings)
    return 0
