"""Package databases found inside a target. One module each, with a module-level `DATABASE`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from hinomi.evidence.packages.database import InstalledPackage, OwnedPath, PackageDatabase

__all__ = ["InstalledPackage", "OwnedPath", "PackageDatabase", "load_databases"]


@cache
def load_databases() -> tuple[PackageDatabase, ...]:
    """Return the `DATABASE` of every module of this package, in name order."""
    names = sorted(m.name for m in iter_modules(__path__) if hasattr(import_module(f"{__name__}.{m.name}"), "DATABASE"))
    return tuple(import_module(f"{__name__}.{name}").DATABASE for name in names)
