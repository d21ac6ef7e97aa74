"""Folders: their times, sizes and link counts follow from what is in them, and that is compared entry by entry."""

from __future__ import annotations

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.world import Reason, World

FOLLOWS = frozenset({"size", "links", "blocks", "mtime", "ctime", "inode", "btime"})


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain a folder that differs in nothing of its own, or that came or went with entries that are all explained."""
    if difference.kind != "directory":
        return None
    if difference.what == "changed":
        return Reason("folder-times") if set(difference.attributes) <= FOLLOWS else None
    new = difference.new
    if new is not None and (new["mode"] & 0o022 or new["uid"] != 0):
        return None
    files = [path for path in world.differing_below(difference.path) if world.differences[path].kind != "directory"]
    if not files or not all(world.is_explained(path) for path in files):
        return None
    return Reason("folder-of-explained", world.reasons[files[0]].by)
