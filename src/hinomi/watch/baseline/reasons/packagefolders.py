"""Empty folders and markers that maintainer scripts make, and a folder's owner and mode that they set."""

from __future__ import annotations

from hinomi.watch.baseline.compare import Difference, Values
from hinomi.watch.baseline.maintainer import Maintainer, naming
from hinomi.watch.baseline.world import Reason, World

PASSWD, GROUP = b"/etc/passwd", b"/etc/group"
MAX_SIZE = 1 << 20
_FOLLOWS = frozenset({"size", "links", "blocks", "mtime", "ctime", "inode", "btime"})
_OWNED = frozenset({"mode", "uid", "gid"})


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain what the scripts of a package that changed name: a folder without anything unexplained, an empty file."""
    new = difference.new
    if new is None or new["mode"] & 0o6002 & ~0o2000:
        return None
    if new["kind"] == "directory":
        return _folder(difference, new, world)
    if difference.what == "added" and new["kind"] == "file" and not new["size"] and not new["mode"] & 0o6111:
        return _by(naming(difference.path, world), world)
    return None


def _folder(difference: Difference, new: Values, world: World) -> Reason | None:
    if difference.what == "changed" and not _is_narrower(difference, new):
        return None
    below = world.differing_below(difference.path) if difference.what == "added" else []
    if not all(world.is_explained(path) or world.differences[path].kind == "directory" for path in below):
        return None
    scripts = naming(difference.path, world)
    if scripts is None or not all(_is_said(number, scripts, world) for number in _owners(new)):
        return None
    return _by(scripts, world)


def _is_narrower(difference: Difference, new: Values) -> bool:
    """Whether nobody got a right to the folder but the accounts that the scripts name."""
    old = difference.old or {}
    return set(difference.attributes) <= _FOLLOWS | _OWNED and not new["mode"] & 0o007 & ~old["mode"]


def _owners(values: Values) -> list[tuple[bytes, int]]:
    return [(path, number) for path, number in ((PASSWD, values["uid"]), (GROUP, values["gid"])) if number]


def _is_said(owner: tuple[bytes, int], scripts: Maintainer, world: World) -> bool:
    """Whether the account behind a number is one that the scripts name."""
    path, number = owner
    for line in (world.read(path, MAX_SIZE) or b"").split(b"\n"):
        fields = line.split(b":")
        if len(fields) > 2 and fields[2] == b"%d" % number:
            return scripts.says(fields[0])
    return False


def _by(scripts: Maintainer | None, world: World) -> Reason | None:
    if scripts is None:
        return None
    return Reason("made-by-package", f"{scripts.package} {world.version(scripts.package)}".strip(), "content")
