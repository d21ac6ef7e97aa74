"""Links that maintainer scripts make in known places: alternatives, sonames, start and enable links, certificates."""

from __future__ import annotations

import posixpath
import re

from hinomi.watch.baseline.compare import Difference, Values
from hinomi.watch.baseline.world import Reason, World

_PLACES = re.compile(
    rb"/etc/alternatives/[^/]+|"
    rb"/etc/rc[0-6S]\.d/[SK]\d\d[^/]+|"
    rb"/etc/systemd/(?:system|user)/(?:[^/]+\.(?:wants|requires)/)?[^/]+\.\w+|"
    rb"/(?:usr/)?lib(?:32|64|x32)?/(?:[^/]+/)?[^/]+\.so(?:\.[^/]*)?|"
    rb"/etc/ssl/certs/[^/]+|"
    rb"/(?:usr/)?lib/modules/[^/]+/(?:build|source)|/(?:vmlinuz|initrd\.img)(?:\.old)?|/boot/(?:vmlinuz|initrd\.img)(?:\.old)?"
)
_THROUGH = b"/etc/alternatives/"


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain a link in such a place by the package that its target belongs to and that came, went or changed.

    A link anywhere else is explained only where it leads through the alternatives, or where a package that moved since
    lists it.
    """
    if difference.kind != "symlink":
        return None
    old, new = difference.old, difference.new
    link = (new or old or {})["link"] or b""
    known = _PLACES.fullmatch(difference.path) or link.startswith(_THROUGH) or _is_listed(difference.path, world)
    if not known:
        return None
    if new is not None and new["kind"] != "symlink":
        return None
    package = _package_now(difference.path, new, world) if new is not None else None
    if new is not None and package is None:
        return None
    before = _package_before(difference.path, old, world)
    changed = next((name for name in (package, before) if world.package_changed(name)), None)
    if changed is None:
        return None
    return Reason("link-to-package", f"{changed} {world.version(changed)}".strip(), "content")


def _is_listed(path: bytes, world: World) -> bool:
    """Whether a package that came or has another version lists the link (manifests have no digest of links)."""
    owner = world.reader.owner(path)
    return owner is not None and world.believes(owner.package) and world.package_changed(owner.package)


def _package_now(path: bytes, new: Values, world: World) -> str | None:
    """Return whose file a link leads to, where that file is sound."""
    real = world.resolve(_target(path, new["link"]), world.now)
    if real is None or not world.is_sound(real):
        return None
    owner = world.reader.owner(real)
    return None if owner is None else owner.package


def _package_before(path: bytes, old: Values | None, world: World) -> str | None:
    if old is None or old["kind"] != "symlink":
        return None
    if old["package"] is not None:
        return str(old["package"])
    real = world.resolve(_target(path, old["link"]), world.before)
    return None if real is None else world.package_before(real)


def _target(path: bytes, link: bytes | None) -> bytes:
    return posixpath.join(path.rpartition(b"/")[0] or b"/", link or b"")
