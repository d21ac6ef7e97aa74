"""What makes a program run by itself: each mechanism is one module of `mechanisms`, found by itself."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from hinomi.evidence.autostart.site import Find, Site

__all__ = ["Find", "Site", "load_mechanisms"]


@cache
def load_mechanisms() -> tuple[tuple[str, Find], ...]:
    """Import every module of `autostart.mechanisms`; return (module name, its `find`) in name order."""
    package = import_module("hinomi.evidence.autostart.mechanisms")
    names = sorted(module.name for module in iter_modules(package.__path__))
    return tuple((name, import_module(f"{package.__name__}.{name}").find) for name in names)
