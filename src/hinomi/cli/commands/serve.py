"""hinomi serve: the console."""

from __future__ import annotations

import click

from hinomi.cli.options import common
from hinomi.cli.output import tell
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.model.errors import UsageError


@click.command("serve", help=say("help.serve"), short_help=say("help.serve.short"), epilog=say("help.serve.examples"))
@click.option("--port", type=click.IntRange(1, 65535), default=8600, show_default=True, help=say("option.port"))
@common("html")
def COMMAND(settings: Settings, port: int) -> int:  # noqa: N802
    """Serve the console until interrupted."""
    from importlib import import_module

    try:
        # by name: the two edges, terminal and web, know nothing of each other
        console = import_module("hinomi.console.app")
    except ModuleNotFoundError as error:
        raise UsageError("serve.missing-extra", cause=str(error.name)) from error
    tell(settings, say("serve.at", url=f"http://127.0.0.1:{port}/"))
    console.serve(settings.case, settings.language, port)
    return 0
