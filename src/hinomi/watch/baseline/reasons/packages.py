"""Package managers: path and digest equal the manifest of the package installed now, or the package took it away."""

from __future__ import annotations

from hinomi.watch.baseline.compare import Difference, Values
from hinomi.watch.baseline.world import Owner, Reason, World

SET_ID = 0o6000
OTHERS_WRITE = 0o002
OF_THE_COPY = frozenset({"size", "inode", "links", "blocks", "mtime", "ctime", "btime", "sha256"})
_RIGHTS = frozenset({"mode", "uid", "gid"})


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain what an installed, upgraded or removed package did; a manifest that was altered explains nothing."""
    if difference.what == "removed":
        return _removed(difference, world)
    owner = world.reader.owner(difference.path)
    if owner is None or not world.believes(owner.package):
        return None
    new = difference.new or {}
    by = f"{owner.package} {world.version(owner.package)}".strip()
    if new["kind"] == "directory":
        return _folder(difference, by)
    if new["kind"] != "file" or not _as_shipped(difference, new, owner, world):
        return None
    return Reason("package", by, owner.kind or "", _left(difference))


def _removed(difference: Difference, world: World) -> Reason | None:
    package = (difference.old or {}).get("package")
    if package is None or not world.package_changed(package) or world.reader.owner(difference.path) is not None:
        return None
    return Reason("package", f"{package} {world.version(package)}".strip(), "version")


def _folder(difference: Difference, by: str) -> Reason | None:
    """A package's own folder: its coming is explained, changed rights are not."""
    if difference.what == "added":
        new = difference.new or {}
        return None if new["mode"] & OTHERS_WRITE and not new["mode"] & 0o1000 else Reason("package", by, "listed")
    return None


def _as_shipped(difference: Difference, new: Values, owner: Owner, world: World) -> bool:
    if owner.kind is None or owner.digest is None or new["sha256"] is None:
        return False
    if owner.kind == "sha256":
        return bool(new["sha256"].hex() == owner.digest)
    try:
        return world.reader.digest(difference.path, owner.kind) == owner.digest
    except OSError:
        return False


def _left(difference: Difference) -> tuple[str, ...]:
    """Return what a manifest of digests cannot vouch for.

    A file that was replaced brings its package's rights along, unless they are new power: set-uid, set-gid, writing by
    others, capabilities, another owner than root.
    """
    if difference.what == "added":
        return ()
    left = set(difference.attributes) - OF_THE_COPY
    old, new = difference.old or {}, difference.new or {}
    if "sha256" in difference.attributes:
        if not new["mode"] & (SET_ID | OTHERS_WRITE) & ~old["mode"]:
            left.discard("mode")
        if new["uid"] == 0:
            left -= {"uid", "gid"}
        if new["capabilities"] is None:
            left.discard("capabilities")
    return tuple(name for name in difference.attributes if name in left)
