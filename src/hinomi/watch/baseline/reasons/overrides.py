"""dpkg-divert and dpkg-statoverride: each entry must be one that a package's scripts make; rights follow from them."""

from __future__ import annotations

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.maintainer import INFO, Maintainer, changed_maintainers, maintainer_of
from hinomi.watch.baseline.world import Reason, World

DIVERSIONS, OVERRIDES = b"/var/lib/dpkg/diversions", b"/var/lib/dpkg/statoverride"
PASSWD, GROUP = b"/etc/passwd", b"/etc/group"
MAX_SIZE = 1 << 20
_RIGHTS = frozenset({"mode", "uid", "gid"})
_OF_COPY = frozenset({"size", "inode", "links", "blocks", "mtime", "ctime", "btime"})
Override = tuple[bytes, bytes, int]  # user, group, permission bits


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain the two databases by scripts, and rights by an override that is itself explained."""
    new = difference.new
    if new is None:
        return None
    if difference.path == DIVERSIONS:
        return _diversions(world)
    if difference.path == OVERRIDES:
        return _overrides(world)
    return _rights(difference, world)


def _diversions(world: World) -> Reason | None:
    """Every entry is three lines: path, where to, by which package; `:` is the administrator's own."""
    lines = (world.read(DIVERSIONS, MAX_SIZE) or b"").rstrip(b"\n").split(b"\n")
    triples = list(zip(lines[::3], lines[1::3], lines[2::3], strict=False))
    known = (world.before(DIVERSIONS) or {}).get("sha256")
    if known is None and not triples:
        return None
    for path, to, package in triples:
        scripts = maintainer_of(package.decode("utf-8", "replace"), world)
        parted = scripts.names(path) or path.rpartition(b"/")[2].partition(b".")[0] in scripts.text
        if b"dpkg-divert" not in scripts.text or not parted or to.rpartition(b"/")[0] != path.rpartition(b"/")[0]:
            return None
    return Reason("package-database", "dpkg-divert", "content")


def _overrides(world: World) -> Reason | None:
    """Every override must be asked for by the scripts of some installed package that name its path, user and mode."""
    entries = _read(world)
    if not all(_asked_for(path, entry, world) for path, entry in entries.items()):
        return None
    return Reason("package-database", "dpkg-statoverride", "content")


def _asked_for(path: bytes, entry: Override, world: World) -> bool:
    return any(_asks(scripts, path, entry) for scripts in _candidates(path, world))


def _candidates(path: bytes, world: World) -> list[Maintainer]:
    owner = world.reader.owner(path)
    owners = [] if owner is None else [maintainer_of(owner.package, world)]
    stays = [maintainer_of(name, world) for name in _overriding(world)]
    return [*owners, *changed_maintainers(world), *stays]


def _overriding(world: World) -> list[str]:
    """Return the packages whose scripts make overrides at all."""
    found = []
    for info in world.paths_in(INFO):
        if info.endswith(b".postinst") and b"statoverride" in (world.read(info, MAX_SIZE) or b""):
            found.append(info[len(INFO) : -len(b".postinst")].partition(b":")[0].decode("utf-8", "replace"))
    return found


def _asks(scripts: Maintainer, path: bytes, entry: Override) -> bool:
    _, _, mode = entry
    text = scripts.text
    digits = b"%o" % mode
    modes = (digits, b"0" + digits)
    return b"dpkg-statoverride" in text and scripts.names(path) and any(scripts.says(one) for one in modes)


def _read(world: World) -> dict[bytes, Override]:
    """Return {path: (user, group, mode)} (format: `user group mode path` lines)."""
    found = {}
    for line in (world.read(OVERRIDES, MAX_SIZE) or b"").split(b"\n"):
        words = line.split(b" ", 3)
        if len(words) == 4 and words[2].isdigit():
            found[words[3]] = (words[0], words[1], int(words[2], 8))
    return found


def _rights(difference: Difference, world: World) -> Reason | None:
    """Owner and mode that an explained override gives; what else differs must be explained, or a folder's own times."""
    reason = world.reasons.get(difference.path)
    open_ones = set(difference.attributes) - _OF_COPY if reason is None else set(reason.left)
    if not open_ones or not open_ones <= _RIGHTS or not world.is_sound(OVERRIDES):
        return None
    entry = _read(world).get(difference.path)
    new = difference.new or {}
    if entry is None or new["mode"] != entry[2]:
        return None
    if (_number(PASSWD, entry[0], world), _number(GROUP, entry[1], world)) != (new["uid"], new["gid"]):
        return None
    return Reason("statoverride", " ".join((entry[0].decode(), entry[1].decode(), f"{entry[2]:04o}")), "content")


def _number(path: bytes, name: bytes, world: World) -> int | None:
    for line in (world.read(path, MAX_SIZE) or b"").split(b"\n"):
        fields = line.split(b":")
        if fields[0] == name and len(fields) > 2 and fields[2].isdigit():
            return int(fields[2])
    return None
