"""The watcher's other processes that are programs of their own: they hold nothing of what judging needs.

A fork would keep every page that its parent writes to later, so that what forks for long costs all the parent has.
"""

from __future__ import annotations

import os
import sys


def program(module: str, *words: str) -> list[str]:
    """Return the command line of a module of this folder."""
    return [sys.executable, "-P", "-m", f"hinomi.flow.watching.{module}", *words]


def environment() -> dict[str, str]:
    """Return an environment in which the modules are found where ours were, and nowhere else."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if os.path.isabs(path))}
