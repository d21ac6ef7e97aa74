"""The options of commands that sign, and where a passphrase comes from: a descriptor, the environment, the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hinomi.cli.output import tell
from hinomi.cli.settings import Settings
from hinomi.cli.words import say

if TYPE_CHECKING:
    from hinomi.watch.signing import Signer

F = TypeVar("F", bound=Callable[..., Any])
VARIABLE = "HINOMI_PASSPHRASE"
MAX_PASSPHRASE = 4096


def key_options(function: F) -> F:
    """Add `--key` and `--passphrase-fd`; a passphrase never stands on the command line."""
    function = click.option("--passphrase-fd", type=click.IntRange(0), metavar="N", help=say("option.passphrase-fd"))(
        function
    )
    return click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help=say("option.key"))(function)


def signer_of(settings: Settings, key: Path | None, descriptor: int | None) -> Signer:
    """Open the key to sign with. Without `--key` it is the case's own, made behind a passphrase where there is none."""
    from hinomi.store.case import folder_of
    from hinomi.watch.signing import new_key, open_key

    path = key or folder_of(settings.case) / "keys" / "signing.pem"
    if key is not None or path.exists():
        return open_key(path, partial(passphrase, path, descriptor))
    made = new_key(path, passphrase(path, descriptor, new=True) or b"")
    tell(settings, say("signing.made", path=str(path), fingerprint=made.fingerprint))
    return made


def passphrase(path: Path, descriptor: int | None, *, new: bool = False) -> bytes | None:
    """Return the passphrase, asked twice for a new key; None where nobody can be asked."""
    if descriptor is not None:
        return _from_descriptor(descriptor)
    if VARIABLE in os.environ:
        return os.fsencode(os.environ[VARIABLE])
    if not sys.stdin.isatty():
        return None
    words = say("signing.ask", path=str(path))
    given: str = click.prompt(words, hide_input=True, err=True, confirmation_prompt=new)
    return given.encode("utf-8")


def _from_descriptor(descriptor: int) -> bytes | None:
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.readline(MAX_PASSPHRASE).rstrip(b"\r\n")
    except OSError:
        return None
