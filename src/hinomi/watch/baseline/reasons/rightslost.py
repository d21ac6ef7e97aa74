"""The right to run that a package takes from its start script when it goes and leaves its settings behind."""

from __future__ import annotations

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.world import Reason, World

_FOLDER = b"/etc/init.d/"
_RUNS = 0o111


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain a start script that only lost its right to run, with a package that is no longer installed."""
    if difference.what != "changed" or not difference.path.startswith(_FOLDER):
        return None
    if not {"mode"} <= set(difference.attributes) <= {"mode", "ctime"}:
        return None
    old, new = difference.old or {}, difference.new or {}
    owner = world.reader.owner(difference.path)
    if owner is None or world.is_installed(owner.package) or not world.package_changed(owner.package):
        return None
    return Reason("package", owner.package, "content") if new["mode"] == old["mode"] & ~_RUNS else None
