"""The compiled core, seen from Python: each C file is a module of its own, built by `hatch_build.py`.

None of them is needed: whoever uses one has the same work in Python beside it, used where nothing was built or
HINOMI_PURE is 1.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from types import ModuleType

PURE = "HINOMI_PURE"


def compiled(package: str, name: str) -> ModuleType | None:
    """Return the compiled module `name` of `package`, None where the work is to be done in Python."""
    return None if os.environ.get(PURE) == "1" else _module(package, name)


@cache
def _module(package: str, name: str) -> ModuleType | None:
    try:
        return import_module(f"{package}.{name}")
    except ImportError:
        return None
