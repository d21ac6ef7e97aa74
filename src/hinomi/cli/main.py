"""The command line: `hinomi COMMAND ...`. Commands are found by file and imported when they are asked for."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import click

from hinomi import __version__
from hinomi.cli.words import say
from hinomi.model.errors import ExitCode, HinomiError, UsageError

ORDER = (
    "check",
    "read",
    "scan",
    "hunt",
    "baseline",
    "watch",
    "respond",
    "brief",
    "library",
    "serve",
    "rule",
    "doctor",
    "schema",
)


class Commands(click.Group):
    """A group whose commands are the modules of `hinomi.cli.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands, the main ones first."""
        folder = Path(__file__).with_name("commands")
        found = {m.name for m in iter_modules([str(folder)])}
        return [name for name in ORDER if name in found] + sorted(found - set(ORDER))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"hinomi.cli.commands.{cmd_name}").COMMAND
        assert isinstance(command, click.Command)
        return command


@click.command(cls=Commands, help=say("help.hinomi"), epilog=say("help.hinomi.epilog"))
@click.version_option(__version__, "--version", help=say("help.version"))
@click.help_option("-h", "--help", help=say("help.help"))
def root() -> None:
    """Hold the commands."""


def main() -> None:
    """Run a command and leave with the contract's exit code; errors become words, never a traceback unless asked."""
    debug = "--debug" in sys.argv
    try:
        code = root.main(standalone_mode=False, prog_name="hinomi")
        _leave(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        click.echo(say("error.interrupted"), err=True)
        _leave(130)
    except KeyboardInterrupt:
        click.echo(say("error.interrupted"), err=True)
        _leave(130)
    except BrokenPipeError:
        _leave(0)
    except click.ClickException as error:
        _usage(error)
    except HinomiError as error:
        if debug:
            raise
        show_error(error)
        _leave(int(error.exit_code))
    except Exception as error:
        if debug:
            raise
        show_error(
            HinomiError("internal", cause=f"{type(error).__name__}: {error}", next_step=say("error.internal.next"))
        )
        _leave(int(ExitCode.INTERNAL))


def show_error(error: HinomiError) -> None:
    """Print code, place, cause and next step on stderr."""
    from hinomi.locale.catalogue import has_text
    from hinomi.model.text import printable

    key = f"error.{error.code}"
    head = (
        say(key, place=error.place, cause=error.cause) if has_text(key) else printable(f"{error.place}: {error.cause}")
    )
    click.echo(f"hinomi: {error.code}: {head}", err=True)
    step = say(f"{key}.next") if has_text(f"{key}.next") else printable(error.next_step)
    if step:
        click.echo(f"  → {step}", err=True)


def _usage(error: click.ClickException) -> None:
    context = getattr(error, "ctx", None)
    show_error(UsageError("usage", cause=error.format_message(), next_step=_help_hint(context)))
    _leave(int(ExitCode.USAGE))


def _help_hint(context: click.Context | None) -> str:
    return f"{context.command_path if context else 'hinomi'} --help"


def _leave(code: int) -> None:
    """Flush and leave; a reader who closed the pipe early is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
