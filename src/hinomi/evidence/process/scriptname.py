"""Which script an interpreter was started with, from its command line."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

_SHELL = re.compile(rb"-?(?:ba|da|a|k|mk|z|c|tc|fi)?sh")
_OTHERS = re.compile(rb"(?:pypy|python|perl|ruby|php|lua|luajit|node|nodejs|tclsh|expect|awk|gawk)[0-9.]*")
# options that take the next word, and those after which the program itself is given
_VALUED = {
    b"-W",
    b"-X",
    b"-I",
    b"-r",
    b"-o",
    b"+o",
    b"-O",
    b"+O",
    b"--init-file",
    b"--rcfile",
    b"--require",
    b"--import",
}
_INLINE = re.compile(rb"-[a-zA-Z]*c|-[eEm]|--eval|--command|-p|--print|-[a-zA-Z]*e")


def script_of(exe: bytes | None, arguments: Sequence[bytes], cwd: bytes | None) -> bytes | None:
    """Return the absolute path of the script that is run, None where there is none or it cannot be told.

    A relative name is joined to `cwd`, the folder that the process is in now.
    """
    if not arguments or not interprets(exe, arguments[0]):
        return None
    name = _first_plain(arguments[1:])
    if not name or name == b"-":
        return None
    if not name.startswith(b"/"):
        if not cwd or not cwd.startswith(b"/"):
            return None
        name = os.path.join(cwd, name)
    return os.path.normpath(name)


def interprets(exe: bytes | None, called: bytes = b"") -> bool:
    """Whether a program is one that runs scripts, by its file's name or by the name that it was called with."""
    names = (called.rsplit(b"/", 1)[-1], (exe or b"").rsplit(b"/", 1)[-1])
    return any(_SHELL.fullmatch(name) or _OTHERS.fullmatch(name) for name in names)


def _first_plain(words: Sequence[bytes]) -> bytes | None:
    """Return the first word that is no option; None where the program is given inline (`-c`, `-e`, `-m`)."""
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == b"--":
            continue
        elif _INLINE.fullmatch(word):
            return None
        elif word in _VALUED:
            skip = True
        elif not word.startswith((b"-", b"+")) or word == b"-":
            return word
    return None
