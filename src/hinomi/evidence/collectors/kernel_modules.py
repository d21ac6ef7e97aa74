"""The running kernel's modules, and those that some of its lists leave out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from hinomi.evidence.process import modules
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.processes import KernelModule
from hinomi.model.text import path_text

PAUSE = 0.1  # seconds between two looks at lists that differ: a module may just be loaded


class KernelModulesCollector:
    """One row per module of the running kernel; a kernel without loadable modules gives none.

    A rootkit that is a module takes itself off the list that `lsmod` prints, and leaves traces in the others.
    """

    name = "kernel_modules"
    tables: tuple[type[Row], ...] = (KernelModule,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows by name; nothing on a target that is not live."""
        if target.kind == "live":
            yield from kernel_modules(target, coverage)


def kernel_modules(
    target: Target, coverage: Coverage, root: bytes = b"", wait: Callable[[float], None] = time.sleep
) -> Iterator[KernelModule]:
    """Yield the modules that the lists below `root` name."""
    if not modules.loadable(root):
        coverage.skip("kernel-without-modules")
        return
    lists = modules.read_lists(root)
    for path in lists.refused:
        coverage.miss("kernel_modules", path, "permission")
    hidden: dict[str, list[str]] = {}
    if any(lists.hidden_from(name) for name in lists.names()):
        wait(PAUSE)
        hidden = dict(modules.stable_hidden(lists, modules.read_lists(root)))
    files = modules.module_files(os.fsencode(os.uname().release), root)
    for name in lists.names():
        coverage.count("kernel-modules")
        yield _row(target, name, lists, hidden.get(name, []), files)


def _row(
    target: Target, name: str, lists: modules.ModuleLists, hidden: list[str], files: dict[str, bytes]
) -> KernelModule:
    said = (lists.modules or {}).get(name) or modules.Listed()
    path = files.get(name)
    return KernelModule(
        name=name, views=lists.views(name), hidden_from=hidden, size=said.size, users=said.users,
        state=said.state or (lists.sysfs or {}).get(name), taint=said.taint,
        path=None if path is None else path_text(path),
        package_state=None if path is None else target.ownership.state(path, None), hooks=lists.hooks.get(name, []),
    )  # fmt: skip


COLLECTOR = KernelModulesCollector()
