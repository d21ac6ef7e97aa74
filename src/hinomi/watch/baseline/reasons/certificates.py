"""The bundle of trusted certificates: each in it must be a sound certificate file of the folders it is made from."""

from __future__ import annotations

import re

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.world import Reason, World

BUNDLE = b"/etc/ssl/certs/ca-certificates.crt"
LIST = b"/etc/ca-certificates.conf"
_FOLDERS = (b"/usr/share/ca-certificates/", b"/usr/local/share/ca-certificates/")
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_OF_CONTENT = frozenset({"size", "inode", "links", "blocks", "mtime", "ctime", "btime", "sha256"})
MAX_SIZE = 32 << 20
MAX_SOURCES = 5_000


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain the bundle, each of whose certificates must stand in a sound file, and the list of those files."""
    if difference.path in (LIST, LIST + b".dpkg-old") and difference.kind == "file":
        return _list(difference, world)
    if difference.path != BUNDLE or difference.new is None or difference.new["kind"] != "file":
        return None
    bundle = world.read(BUNDLE, MAX_SIZE)
    blocks = set(map(_bare, _BLOCK.findall(bundle or b"")))
    if not blocks:
        return None
    known: set[bytes] = set()
    for path in _sources(world):
        known.update(map(_bare, _BLOCK.findall(world.read(path, 1 << 20) or b"")))
    return Reason("certificates", "update-ca-certificates") if blocks <= known else None


def _list(difference: Difference, world: World) -> Reason | None:
    """Each line that is neither a comment nor deselected (!) must name a certificate that a package brings."""
    if difference.new is None or (difference.what == "changed" and not set(difference.attributes) <= _OF_CONTENT):
        return None
    lines = (world.read(difference.path, 1 << 20) or b"").split(b"\n")
    named = [_FOLDERS[0] + line.strip() for line in lines if line.strip() and line[:1] not in (b"#", b"!")]
    old = difference.path != LIST  # names certificates that may have gone since
    if not named or not all(_is_packaged(path, world) or (old and world.now(path) is None) for path in named):
        return None
    return Reason("certificates", "update-ca-certificates")


def _is_packaged(path: bytes, world: World) -> bool:
    return world.reader.owner(path) is not None and world.is_sound(path)


def _sources(world: World) -> list[bytes]:
    """Return the sound files that the list names, and all local ones."""
    listed = (world.read(LIST, 1 << 20) or b"").split(b"\n")
    paths = [_FOLDERS[0] + line.strip() for line in listed if line.strip() and line[:1] not in (b"#", b"!")]
    paths += [path for path in world.paths_below(_FOLDERS[1]) if path.endswith(b".crt")]
    return [path for path in paths[:MAX_SOURCES] if world.is_sound(path)]


def _bare(block: bytes) -> bytes:
    return b"".join(block.split())
