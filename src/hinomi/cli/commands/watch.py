"""hinomi watch: what changes and what starts, live."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from hinomi.cli.options import common
from hinomi.cli.output import write
from hinomi.cli.settings import Settings, load_file
from hinomi.cli.words import say

BACKENDS = ("auto", "fanotify", "inotify", "polling")


class WithDefault(click.Group):
    """A group whose first command runs where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name in front of options and places that stand alone."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(
    "watch", cls=WithDefault, help=say("help.watch"), short_help=say("help.watch.short"),
    epilog=say("help.watch.examples"),
)  # fmt: skip
@click.help_option("-h", "--help", help=say("help.help"))
def COMMAND() -> None:  # noqa: N802
    """Hold the sub-commands."""


@COMMAND.command("run", help=say("help.watch.run"), epilog=say("help.watch.examples"))
@click.argument("places", nargs=-1, metavar="[FOLDER]...")
@click.option("--on", "more", multiple=True, metavar="FOLDER", help=say("option.watch.on"))
@click.option("--backend", type=click.Choice(BACKENDS), help=say("option.watch.backend"))
@click.option("--exclude", multiple=True, metavar="GLOB", help=say("option.exclude"))
@click.option("--no-processes", is_flag=True, help=say("option.watch.no-processes"))
@click.option("--alert", "alerts", multiple=True, metavar="WHERE", help=say("option.watch.alert"))
@click.option("--for", "seconds", type=click.FloatRange(min=0.0), metavar="SECONDS", help=say("option.watch.for"))
@click.option("--rules", multiple=True, type=click.Path(exists=True, path_type=Path), help=say("option.rules"))
@common("table", "jsonl")
def run(settings: Settings, seconds: float | None, **chosen: Any) -> int:
    """Watch until Ctrl-C, a signal, or the time is up."""
    from dataclasses import asdict
    from socket import gethostname

    from hinomi.cli.watching import Printer
    from hinomi.flow.watching.alerting import AlertTeller, Tellers, dispatcher_of
    from hinomi.flow.watching.running import watch
    from hinomi.flow.watching.telling import Teller

    options = _options(settings.watch, chosen)
    tellers: list[Teller] = [Printer(settings)]
    dispatcher = None
    if options.alerts:
        dispatcher = dispatcher_of(options.alerts, asdict(options))
        tellers.append(AlertTeller(dispatcher, gethostname(), settings.language))
    watch(
        settings.case, options, Tellers(tellers), rule_folders=settings.rules, seconds=seconds, alerts=dispatcher,
        configuration=lambda: _options(load_file().get("watch", {}), chosen),
    )  # fmt: skip
    return 0


def _options(configured: Mapping[str, Any], chosen: dict[str, Any]) -> Any:
    """Join the command line with `[watch]` of the configuration."""
    from hinomi.flow.watching.options import from_table

    table = dict(configured)
    places = [*chosen["places"], *chosen["more"]]
    if places:
        table["on"] = places
    if chosen["backend"]:
        table["backend"] = chosen["backend"]
    if chosen["exclude"]:
        table["exclude"] = list(chosen["exclude"])
    if chosen["alerts"]:
        table["alerts"] = list(chosen["alerts"])
    if chosen["no_processes"]:
        table["processes"] = False
    return from_table(table, "hinomi.toml")


@COMMAND.command("status", help=say("help.watch.status"), epilog=say("help.watch.examples"))
@common("table", "json")
def status(settings: Settings) -> int:
    """Show what is watched, with what, and every gap; 3 where the watch is incomplete or does not run."""
    from hinomi.flow.watching.status import status_of
    from hinomi.store.case import Case

    with Case.open(settings.case) as case:
        found = status_of(case)
    if settings.format == "json":
        write(json.dumps(found.to_json(), ensure_ascii=False, indent=2) + "\n", settings)
    else:
        from hinomi.cli.watching import render_status

        write(render_status(found, settings), settings)
    return 0 if found.complete else 3


@COMMAND.command("unit", help=say("help.watch.unit"), epilog=say("help.watch.unit.examples"))
@click.argument("places", nargs=-1, metavar="[FOLDER]...")
@click.option("--alert", "alerts", multiple=True, metavar="WHERE", help=say("option.watch.alert"))
@common("text")
def unit(settings: Settings, places: tuple[str, ...], alerts: tuple[str, ...]) -> int:
    """Print a hardened systemd unit for this installation."""
    import shutil
    import sys

    from hinomi.flow.watching.alerting import sink_of
    from hinomi.flow.watching.unit import unit_text
    from hinomi.store.case import folder_of

    for word in alerts:
        sink_of(word)
    program = [shutil.which("hinomi") or sys.argv[0]]
    words = [*places, *(part for word in alerts for part in ("--alert", word))]
    network = any(word.startswith(("syslog=udp", "syslog=tcp", "webhook=", "slack=")) for word in alerts)
    write(unit_text(program, folder_of(settings.case), words, network=network), settings)
    return 0
