"""The package managers' own databases: what they say of a package may change when its version does."""

from __future__ import annotations

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.packagefiles import strength_of
from hinomi.watch.baseline.world import Reason, World

DPKG = b"/var/lib/dpkg/"
_INFO = DPKG + b"info/"
_FORMAT = _INFO + b"format"  # a number: that of the database's layout
_ALTERNATIVES = DPKG + b"alternatives/"
_STATE = frozenset(
    DPKG + name
    for name in (b"status", b"status-old", b"available", b"available-old", b"lock", b"lock-frontend", b"triggers/Lock",
                 b"triggers/Unincorp", b"triggers/File", b"diversions-old", b"statoverride-old", b"cmethopt")
)  # fmt: skip
_OTHERS = (b"/var/lib/rpm/", b"/usr/lib/sysimage/rpm/", b"/lib/apk/db/", b"/usr/lib/apk/db/")
MAX_SIZE = 64 << 20
_PROGRAM = (b"\x7fELF", b"MZ")


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain entries of the databases; a manifest altered under the same version is told apart elsewhere."""
    path = difference.path
    if difference.kind not in ("file", "directory"):
        return None
    if path == _FORMAT:
        return Reason("package-database", "dpkg") if world.read(path, 16) == b"1\n" else None
    if path.startswith(_INFO):
        return _of_package(difference, world)
    if path.startswith(_ALTERNATIVES):
        return _alternatives(difference, world)
    if path in _STATE or path.startswith((DPKG + b"triggers/", DPKG + b"updates/")):
        return _data(difference, world, "dpkg")
    if path.startswith(_OTHERS):
        return _data(difference, world, "rpm" if b"rpm" in path else "apk")
    return None


def _of_package(difference: Difference, world: World) -> Reason | None:
    """`openssl.list`, `libc6:amd64.postinst`: the package must have come, gone or moved, and its files be its own."""
    name, _, kind = difference.path[len(_INFO) :].rpartition(b".")
    stem = name.partition(b":")[0].decode("utf-8", "replace")
    if not world.package_changed(stem):
        return None
    by = f"{stem} {world.version(stem)}".strip()
    if difference.what == "removed" or not world.is_installed(stem):
        return Reason("package-database", by, "version")
    strength = strength_of(difference.path, name, kind, world)
    return None if strength is None else Reason("package-database", by, strength)


def _alternatives(difference: Difference, world: World) -> Reason | None:
    """An alternatives group (format: update-alternatives): every choice must be a sound file of a package."""
    if difference.what == "removed":
        return Reason("package-database", "update-alternatives", "content")
    text = world.read(difference.path, 1 << 20)
    choices = [line for line in (text or b"").split(b"\n") if line.startswith(b"/") and b" " not in line]
    links, paths = set(_links(text or b"")), []
    for choice in choices:
        if choice not in links:
            paths.append(choice)
    if not paths or not all(_is_packaged(path, world) for path in paths):
        return None
    return Reason("package-database", "update-alternatives", "content")


def _links(text: bytes) -> list[bytes]:
    """Return the names that the group itself makes: the head of the file up to the first empty line."""
    return [line for line in text.split(b"\n\n", 1)[0].split(b"\n") if line.startswith(b"/")]


def _is_packaged(path: bytes, world: World) -> bool:
    real = world.resolve(path, world.now)
    if real is None:
        return True  # a choice that is not installed cannot run
    return world.reader.owner(real) is not None and world.is_sound(real)


def _data(difference: Difference, world: World, by: str) -> Reason | None:
    """A database is data: nobody runs it, nobody but its manager writes it."""
    new = difference.new
    if new is not None and new["kind"] == "file":
        head = _head(difference.path, world)
        if new["mode"] & 0o6111 or new["mode"] & 0o002 or head.startswith(_PROGRAM) or head.startswith(b"#!"):
            return None
    return Reason("package-database", by, "declared")


def _head(path: bytes, world: World) -> bytes:
    try:
        with world.reader.open(path) as file:
            return file.read(4)
    except OSError:
        return b""
