"""Fork a process that goes its own way: it runs our code only, and touches nothing that another thread may hold."""

from __future__ import annotations

import os
import warnings


def fork() -> int:
    """Return 0 in the child, its number in the parent, without Python's warning about threads of a host program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
