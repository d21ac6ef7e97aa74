"""Links that maintainer scripts make in known places: alternatives, sonames, start and enable links, certificates."""

from __future__ import annotations

import posixpath
import re

from hinomi.watch.baseline.compare import Difference, Values
from hinomi.watch.baseline.reasons.alternatives import is_choice
from hinomi.watch.baseline.reasons.units import is_enabled_as_said
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
_START = re.compile(rb"/etc/rc[0-6S]\.d/[SK]\d\d([^/]+)")
_SETTINGS = re.compile(rb"(/etc/(?!cron|init\.d|profile|systemd|xdg/autostart|pam\.d|ssh)[^/]+/).+")
_BOOT = re.compile(rb"/boot/(?:initrd\.img|vmlinuz)-([^/]+)")
_NOTHING = b"/dev/null"


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain a link in such a place by the package that its target belongs to and that came, went or changed.

    A link anywhere else is explained only where it leads through the alternatives, within the settings of one program
    (`/etc/NAME/…-enabled`), or where a package that moved since lists it.
    """
    if difference.kind != "symlink":
        return None
    old, new = difference.old, difference.new
    listed = _is_listed(difference.path, world)
    if new is not None and listed and _leads_nowhere(difference.path, new, world):
        return _by(_owner_name(difference.path, world), world)
    if new is not None and (gone := _led_to(difference.path, new, world)) is not None:
        return _by(gone, world)
    if not listed and not _is_known_place(difference.path, (new or old or {})["link"] or b""):
        return None
    if new is not None and new["kind"] != "symlink":
        return None
    package = _package_now(difference.path, new, world) if new is not None else None
    if new is not None and (package is None or not (listed or _says_so(difference.path, new, world))):
        return None
    before = _package_before(difference.path, old, world)
    owner = _owner_name(difference.path, world) if listed else None
    changed = next((name for name in (owner, package, before) if world.package_changed(name)), None)
    return None if changed is None else _by(changed, world)


def _by(package: str, world: World) -> Reason:
    return Reason("link-to-package", f"{package} {world.version(package)}".strip(), "content")


def _is_known_place(path: bytes, link: bytes) -> bool:
    if _PLACES.fullmatch(path) or link.startswith(_THROUGH):
        return True
    within = _SETTINGS.fullmatch(path)
    return within is not None and _stays_within(path, link, within[1])


def _stays_within(path: bytes, link: bytes, folder: bytes) -> bool:
    """Whether a link of a program's settings leads to other settings of it, or to data that packages share out."""
    target = posixpath.normpath(_target(path, link))
    return target.startswith((folder, b"/usr/share/"))


def _says_so(path: bytes, new: Values, world: World) -> bool:
    """Whether what rules such links agrees: the alternatives' database, a unit's [Install], a script's name."""
    link = new["link"] or b""
    if path.startswith(_THROUGH):
        return is_choice(path, link, world)
    start = _START.fullmatch(path)
    if start is not None:
        return bool(start[1] == link.rpartition(b"/")[2])
    if path.startswith((b"/etc/systemd/system/", b"/etc/systemd/user/")):
        return is_enabled_as_said(path, _target(path, link), world)
    return True


def _is_listed(path: bytes, world: World) -> bool:
    """Whether a package that came or has another version lists it as a link (manifests have no digest of links)."""
    owner = world.reader.owner(path)
    if owner is None or owner.digest is not None:  # a program of the package must not become a link
        return False
    return world.believes(owner.package) and world.package_changed(owner.package)


def _owner_name(path: bytes, world: World) -> str:
    owner = world.reader.owner(path)
    return "" if owner is None else owner.package


def _leads_nowhere(path: bytes, new: Values, world: World) -> bool:
    """Whether a packaged link leads to nothing, to a folder of a package, or masks a unit: no file is reached."""
    target = _target(path, new["link"])
    if target == _NOTHING:
        return path.endswith((b".service", b".socket", b".timer", b".mount", b".target"))
    real = world.resolve(target, world.now)
    values = None if real is None else world.now(real)
    if real is None or values is None:
        return True
    return values["kind"] == "directory" and world.reader.owner(real) is not None


def _led_to(path: bytes, new: Values, world: World) -> str | None:
    """Return the package whose file a link in settings led to, where it went and left the link without a target."""
    target = posixpath.normpath(_target(path, new["link"]))
    if not path.startswith(b"/etc/") or world.resolve(target, world.now) is not None or world.now(target) is not None:
        return None
    package = world.package_before(target)
    return package if world.package_changed(package) else None


def _package_now(path: bytes, new: Values, world: World) -> str | None:
    """Return whose file a link leads to, where that file is sound."""
    real = world.resolve(_target(path, new["link"]), world.now)
    if real is None or not world.is_sound(real):
        return None
    owner = world.reader.owner(real)
    return _behind(real, world) if owner is None else owner.package


def _behind(real: bytes, world: World) -> str | None:
    """Return the package behind a file that none lists: a copy of its settings, the initrd of its kernel."""
    boot = _BOOT.fullmatch(real)
    if boot is not None:
        return _kernel(boot[1], world)
    reason = world.reasons.get(real)
    if reason is not None and reason.why == "key-pair":
        return reason.by.partition(" ")[0]
    if reason is None or reason.why != "copy-of-packaged":
        return None
    owner = world.reader.owner(reason.by.encode("utf-8", "surrogateescape"))
    return None if owner is None else owner.package


def _kernel(version: bytes, world: World) -> str | None:
    owner = world.reader.owner(b"/boot/vmlinuz-" + version) or world.reader.owner(b"/boot/config-" + version)
    return None if owner is None else owner.package


def _package_before(path: bytes, old: Values | None, world: World) -> str | None:
    if old is None or old["kind"] != "symlink":
        return None
    if old["package"] is not None:
        return str(old["package"])
    real = world.resolve(_target(path, old["link"]), world.before)
    if real is None:
        return None
    boot = _BOOT.fullmatch(real)
    return world.package_before(b"/boot/vmlinuz-" + boot[1]) if boot is not None else world.package_before(real)


def _target(path: bytes, link: bytes | None) -> bytes:
    return posixpath.join(path.rpartition(b"/")[0] or b"/", link or b"")
