"""The console that everything for people is printed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hinomi.cli.output import wants_color
from hinomi.cli.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console


def terminal(settings: Settings) -> Console:
    """Return a console as wide as the terminal that knows no markup: what it prints came from outside."""
    import shutil

    from rich.console import Console

    color = wants_color(settings)
    width = shutil.get_terminal_size((110, 24)).columns if settings.output is None else 110
    return Console(
        width=max(width, 60), force_terminal=color, no_color=not color, highlight=False, markup=False, emoji=False
    )
