"""Data that a maintainer script copied from where its package keeps it: the same bytes as a sound packaged file."""

from __future__ import annotations

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.maintainer import naming
from hinomi.watch.baseline.world import Reason, World

REGISTRY = b"/var/lib/ucf/registry"
_RUNS = 0o6111
_OF_CONTENT = frozenset({"size", "inode", "links", "blocks", "mtime", "ctime", "btime", "sha256"})
_COPIED = (b"/boot/grub/",)  # grub-install copies its modules and fonts here


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain data that equals a packaged file and that a package's scripts, ucf or the boot loader put there."""
    new = difference.new
    if new is None or new["kind"] != "file" or not new["size"] or new["mode"] & _RUNS or new["sha256"] is None:
        return None
    if difference.what == "changed" and not set(difference.attributes) <= _OF_CONTENT:
        return None
    sources = world.by_digest(new["sha256"])
    if not sources:
        return None
    source = next((s for s in sources if _is_put_there(difference.path, s, world)), None)
    return None if source is None else Reason("copy-of-packaged", _shown(source), "sha256")


def _is_put_there(path: bytes, source: bytes, world: World) -> bool:
    if path.startswith(_COPIED):
        return path.rpartition(b"/")[2] == source.rpartition(b"/")[2]
    return path in _registered(world) or naming(path, world) is not None


def _registered(world: World) -> dict[bytes, bytes]:
    """Return {path: package} of the configuration files that ucf keeps for packages (format: `package path` lines)."""
    found = world.cached(("ucf",), lambda: _read_registry(world))
    assert isinstance(found, dict)  # cached under this key by this module only
    return found


def _read_registry(world: World) -> dict[bytes, bytes]:
    words = [line.split() for line in (world.read(REGISTRY, 1 << 20) or b"").split(b"\n")]
    pairs = {pair[1]: pair[0] for pair in words if len(pair) == 2}
    return {
        path: package for path, package in pairs.items() if world.package_changed(package.decode("utf-8", "replace"))
    }


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
