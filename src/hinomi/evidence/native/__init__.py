"""The compiled core of collecting: what touches every file of a target, in C, without Python's lock.

How it is built and left out: `hinomi.model.native`.
"""

from __future__ import annotations

from types import ModuleType

from hinomi.model import native


def compiled(name: str) -> ModuleType | None:
    """Return a compiled module, None where the work is to be done in Python."""
    return native.compiled(__name__, name)
