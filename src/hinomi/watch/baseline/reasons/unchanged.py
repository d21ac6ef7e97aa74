"""Nothing that counts: the same bytes under the same rights, written again or touched."""

from __future__ import annotations

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.world import Reason, World

OF_THE_COPY = frozenset({"inode", "links", "blocks", "mtime", "ctime", "btime"})


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain an entry whose content, target, owner, mode and attributes are as they were."""
    if difference.what != "changed" or difference.kind == "directory":
        return None
    if not set(difference.attributes) <= OF_THE_COPY:
        return None
    new = difference.new or {}
    if new["kind"] == "file" and new["sha256"] is None:
        return None
    return Reason("same-content", "", "sha256" if new["kind"] == "file" else "content")
