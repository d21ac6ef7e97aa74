"""Which function understands which command. A command is added by decorating one function."""

from __future__ import annotations

from collections.abc import Callable

from hinomi.evidence.scripts.shell.core import Handler

HANDLERS: dict[str, Handler] = {}  # filled by the modules that `known` lists


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register the decorated function for these command names."""

    def register(handler: Handler) -> Handler:
        for name in names:
            if name in HANDLERS:
                raise ValueError(f"two functions for {name}: the later would replace the earlier")
            HANDLERS[name] = handler
        return handler

    return register
