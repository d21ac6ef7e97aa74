"""Which differences explain themselves: each reason is something verified now, tried in order of its strength."""

from __future__ import annotations

from collections.abc import Callable

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.reasons import (
    accounts,
    bytecode,
    certificates,
    copies,
    declared,
    folders,
    initrd,
    keypairs,
    linkercache,
    links,
    logs,
    overrides,
    packagedata,
    packagefolders,
    packages,
    pam,
    rightslost,
    scripttext,
    unchanged,
)
from hinomi.watch.baseline.world import Reason, World

Explainer = Callable[[Difference, World], Reason | None]

# What stands on its own comes first; what leans on other entries being sound comes after them.
_STEPS: tuple[tuple[Explainer, ...], ...] = (
    (packagedata.explain,),
    (packages.explain, unchanged.explain),
    (packagedata.explain,),
    (links.explain, bytecode.explain),
    (linkercache.explain, certificates.explain, logs.explain, declared.explain, copies.explain, pam.explain),
    (scripttext.explain, accounts.explain, keypairs.explain, rightslost.explain),
    (accounts.explain, overrides.explain, initrd.explain),
    (links.explain, overrides.explain),
    (folders.explain, packagefolders.explain),
    (links.explain,),
)


def explain(world: World) -> dict[bytes, Reason]:
    """Return the reasons of the world's differences by path; those without any are unexplained.

    A reason with something `left` accounts for a part only: the difference stays unexplained.
    """
    for step in _STEPS:
        for path, difference in world.differences.items():
            if world.is_explained(path):
                continue
            reason = next((found for one in step if (found := one(difference, world)) is not None), None)
            if reason is not None:
                world.reasons[path] = reason
    return world.reasons
