"""hinomi completion: shell completion."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from hinomi.cli.words import say


@click.command(
    "completion",
    help=say("help.completion"),
    short_help=say("help.completion.short"),
    epilog=say("help.completion.examples"),
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def COMMAND(shell: str) -> int:  # noqa: N802
    """Print the completion script of a shell."""
    from hinomi.cli.main import root

    cls = get_completion_class(shell)
    assert cls is not None
    click.echo(cls(root, {}, "hinomi", "_HINOMI_COMPLETE").source())
    return 0
