"""Where data goes: standard output or a file, whole or not at all; messages go to standard error."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click

from hinomi.cli.rotation import FollowedFile, Stream
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.model.errors import PermissionDeniedError


def write(text: str, settings: Settings) -> None:
    """Write data to `-o FILE` (replaced in one step) or standard output, always as UTF-8."""
    if settings.output is None:
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        return
    try:
        _replace(settings.output, text)
    except OSError as error:
        raise PermissionDeniedError("output.not-writable", place=str(settings.output), cause=str(error)) from error
    tell(settings, say("output.written", path=str(settings.output)))


def open_stream(settings: Settings) -> FollowedFile | Stream:
    """Return where a stream of data goes, line by line: `-o FILE` (appended to, rotated or not) or standard output."""
    if settings.output is None:
        return Stream(sys.stdout.buffer)
    try:
        return FollowedFile(settings.output)
    except OSError as error:
        raise PermissionDeniedError("output.not-writable", place=str(settings.output), cause=str(error)) from error


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def tell(settings: Settings, message: str) -> None:
    """Print a message on standard error unless quiet."""
    if settings.verbosity >= 0:
        click.echo(message, err=True)


def wants_color(settings: Settings) -> bool:
    """Tell whether the terminal output is coloured."""
    if settings.color is not None:
        return settings.color
    return settings.output is None and sys.stdout.isatty()
