"""One file adds one thing: list a package's modules and collect the object each declares."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any


@cache
def members(package: str, attribute: str) -> tuple[Any, ...]:
    """Return `attribute` of every module of `package` that has it, ordered by module name."""
    root = importlib.import_module(package)
    names = sorted(module.name for module in pkgutil.iter_modules(root.__path__) if not module.name.startswith("_"))
    modules = (importlib.import_module(f"{package}.{name}") for name in names)
    return tuple(getattr(module, attribute) for module in modules if hasattr(module, attribute))
