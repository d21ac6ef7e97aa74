"""Give way to everything else on the host: lowest CPU priority, idle class for disk access."""

from __future__ import annotations

import os
import platform
from contextlib import suppress

NICEST = 19
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30, "ppc64le": 273, "s390x": 282}  # ioprio_set(2)
_WHO_PROCESS = 1
_CLASS_IDLE = 3 << 13


def be_nice() -> None:
    """Lower this process's priority for good; where the system refuses, it stays as it is."""
    with suppress(OSError):
        os.nice(NICEST)
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None:
        import ctypes

        ctypes.CDLL(None, use_errno=True).syscall(number, _WHO_PROCESS, 0, _CLASS_IDLE)
