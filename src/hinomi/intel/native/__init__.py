"""The compiled part of reading: what is asked of every place of a text, in C.

How it is built and left out: `hinomi.model.native`.
"""

from __future__ import annotations

from types import ModuleType

from hinomi.model import native


def compiled(name: str) -> ModuleType | None:
    """Return a compiled module, None where the work is to be done in Python."""
    return native.compiled(__name__, name)
