"""The commands the walk understands: importing a module of `commands` registers what is decorated in it."""

from __future__ import annotations

from hinomi.evidence.scripts.shell.commands import (
    archives,
    databases,
    events,
    execution,
    files,
    mounts,
    network,
    processes,
    system,
    text,
    wrappers,
)
from hinomi.evidence.scripts.shell.registry import HANDLERS

FIELDS = (archives, databases, events, execution, files, mounts, network, processes, system, text, wrappers)

__all__ = ["FIELDS", "HANDLERS"]
