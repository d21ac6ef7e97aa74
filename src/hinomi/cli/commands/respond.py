"""hinomi respond: guided clean-up. Only the plan so far; it changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hinomi.cli.options import common
from hinomi.cli.output import write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.model.errors import UsageError
from hinomi.model.verdict import Action


@click.group(
    "respond", help=say("help.respond"), short_help=say("help.respond.short"), epilog=say("help.respond.examples")
)
@click.help_option("-h", "--help", help=say("help.help"))
def COMMAND() -> None:  # noqa: N802
    """Hold the sub-commands."""


@COMMAND.command("plan", help=say("help.respond.plan"), epilog=say("help.respond.examples"))
@click.option("--playbook", metavar="ID", help=say("option.playbook"))
@common("table", "json", "cacao")
def plan(settings: Settings, playbook: str | None) -> int:
    """Print the steps for the findings of the latest look at each target."""
    from hinomi.flow.responding import plan_of
    from hinomi.respond.playbook import FOLDER, load_playbooks
    from hinomi.store.case import Case

    if settings.format == "cacao":
        if playbook not in load_playbooks():
            raise UsageError("respond.no-such-playbook", place=playbook or "", cause=", ".join(load_playbooks()))
        write((Path(FOLDER) / f"{playbook}.json").read_text("utf-8"), settings)
        return 0
    with Case.open(settings.case) as case:
        actions = plan_of(case)
    write(_rendered([a for a in actions if playbook in (None, a.playbook)], settings), settings)
    return 0


def _rendered(actions: list[Action], settings: Settings) -> str:
    if settings.format == "json":
        return json.dumps([a.to_json() for a in actions], ensure_ascii=False, indent=2) + "\n"
    lines = [
        f"{n}. {say(f'phase.{a.phase}')}: {a.text.in_language(settings.language)}"
        + (f"  [{a.playbook}]" if a.playbook else "")
        for n, a in enumerate(actions, start=1)
    ]
    return "\n".join(lines or [say("verdict.no-actions")]) + "\n"
