"""hinomi library: reports and claims kept, what people decided about them, and the way in and out."""

from __future__ import annotations

from importlib import import_module

from hinomi.cli.library.group import GROUP

for _kind in ("looking", "deciding", "reviewing", "exchange"):
    import_module(f"hinomi.cli.library.{_kind}")  # each adds its sub-commands to the group

COMMAND = GROUP
