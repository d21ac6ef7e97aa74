"""Whether what dpkg keeps of a package is as the package file brought it: manifest, scripts, triggers.

No manifest has the digest of a maintainer script, and the manifest itself lies on the target. What can be asked: the
package file in apt's cache, if its own digest is in a list that apt has verified by its signature; else the order in
time that dpkg leaves (format: deb(5); order: dpkg's own source): a package's members are as old as the package was
built, and get their names in one go with the list of its files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hinomi.watch.baseline.compare import Values
from hinomi.watch.baseline.world import World

INFO = b"/var/lib/dpkg/info/"
ARCHIVES, LISTS = b"/var/cache/apt/archives/", b"/var/lib/apt/lists/"
MAX_LIST = 256 << 20
MAX_RELEASE = 8 << 20
IN_ONE_GO = 30 * 10**9  # nanoseconds; milliseconds where nobody interferes
BUILT_BEFORE = 2 * 10**9
_DIGEST = re.compile(rb"^SHA256: ([0-9a-f]{64})$", re.MULTILINE)
_IN_RELEASE = re.compile(rb"^ ([0-9a-f]{64}) +\d+ \S*Packages\S*$", re.MULTILINE)


def strength_of(member: bytes, stem: bytes, kind: bytes, world: World) -> str | None:
    """Return how well a member `STEM.KIND` of dpkg's database is vouched for: sha256 or times; None where it is not."""
    package, _, architecture = stem.partition(b":")
    archived = _archived(package, architecture, world)
    digest = (world.now(member) or {}).get("sha256")
    if archived is not None and kind != b"list":
        return "sha256" if archived.get(kind) == digest else None
    return "times" if _in_order(member, stem, world) else None


def _in_order(member: bytes, stem: bytes, world: World) -> bool:
    """Whether a member is no younger than the list of files that dpkg wrote with it, and was named in the same go."""
    values, written = world.now(member), world.now(INFO + stem + b".list")
    if values is None or written is None:
        return False
    if member.endswith(b".list"):
        others = [world.now(path) for path in _members(stem, world) if path != member]
        return all(_in_one_go(values, other) for other in others if other is not None)
    return bool(values["mtime"] <= written["mtime"] + BUILT_BEFORE) and _in_one_go(values, written)


def _in_one_go(one: Values, other: Values) -> bool:
    """Whether two entries changed together; True where the target's format has no such time."""
    if one["ctime"] == one["mtime"] and other["ctime"] == other["mtime"]:
        return True
    apart: int = abs(one["ctime"] - other["ctime"])
    return apart <= IN_ONE_GO


def _members(stem: bytes, world: World) -> Iterator[bytes]:
    for path in _info(world):
        if path[len(INFO) :].rpartition(b".")[0] == stem:
            yield path


def _info(world: World) -> list[bytes]:
    found = world.cached(("info-files",), lambda: world.paths_in(INFO))
    assert isinstance(found, list)  # cached under this key with this value only
    return found


# --- the package file -------------------------------------------------------------------------------------------------


def _archived(package: bytes, architecture: bytes, world: World) -> Mapping[bytes, bytes] | None:
    """Return {member: digest} of the package file that was installed; None unless apt has it and its lists know it."""
    key = (b"package-file", package, architecture)
    found = world.cached(key, lambda: _read(package, architecture, world))
    assert found is None or isinstance(found, dict)  # cached under this key by this module only
    return found


def _read(package: bytes, architecture: bytes, world: World) -> dict[bytes, bytes] | None:
    for version, built_for in _versions(package, world):
        if architecture and built_for != architecture:
            continue
        path = ARCHIVES + b"_".join((package, version.replace(b":", b"%3a"), built_for)) + b".deb"
        values = world.now(path)
        if values is None or values["sha256"] is None or values["sha256"] not in _known(world):
            continue
        members = world.reader.control(path)
        if members is not None:
            return {m.path.lstrip(b"/."): m.sha256 for m in members if m.kind == "file" and m.sha256 is not None}
    return None


def _versions(package: bytes, world: World) -> Iterator[tuple[bytes, bytes]]:
    for one in world.version(package.decode("utf-8", "replace")).split(","):
        version, _, architecture = one.rpartition(":")
        yield version.encode(), architecture.encode()


def _known(world: World) -> frozenset[bytes]:
    """Return the digests of package files in the lists that a Release file of apt names by their digest."""
    found = world.cached(("package-lists",), lambda: _read_lists(world))
    assert isinstance(found, frozenset)  # cached under this key by this module only
    return found


def _read_lists(world: World) -> frozenset[bytes]:
    paths = world.paths_in(LISTS)
    named: set[bytes] = set()
    for path in paths:
        if path.endswith((b"_InRelease", b"_Release")):
            named.update(
                map(bytes.fromhex, map(bytes.decode, _IN_RELEASE.findall(world.read(path, MAX_RELEASE) or b"")))
            )
    found: set[bytes] = set()
    for path in paths:
        values = world.now(path)
        if values is not None and path.endswith(b"_Packages") and values["sha256"] in named:
            text = world.read(path, MAX_LIST) or b""
            found.update(bytes.fromhex(digest.decode()) for digest in _DIGEST.findall(text))
    return frozenset(found)
