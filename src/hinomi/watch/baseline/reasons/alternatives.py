"""The database of update-alternatives: which files a link of /etc/alternatives may lead to (format: dpkg's own source).

A group's file: its state, its link; then a name and a link for each slave; an empty line; then for each choice its
path, its priority and the paths of its slaves, in their order, empty where the choice has none.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from hinomi.watch.baseline.world import World

FOLDER = b"/var/lib/dpkg/alternatives"
MAX_SIZE = 1 << 20
Choices = Mapping[bytes, frozenset[bytes]]


def is_choice(path: bytes, target: bytes, world: World) -> bool:
    """Whether `target` is one of the choices of the link /etc/alternatives/NAME, in a database that is itself sound."""
    found = world.cached(("alternatives",), lambda: _all(world))
    assert isinstance(found, dict)  # cached under this key by this module only
    return posixpath.normpath(target) in found.get(path.rpartition(b"/")[2], ())


def _all(world: World) -> dict[bytes, frozenset[bytes]]:
    found: dict[bytes, frozenset[bytes]] = {}
    for path in world.paths_in(FOLDER):
        if world.is_sound(path):
            found |= choices_of(path.rpartition(b"/")[2], world.read(path, MAX_SIZE) or b"")
    return found


def choices_of(group: bytes, text: bytes) -> dict[bytes, frozenset[bytes]]:
    """Return {name: paths} of a group and its slaves."""
    head, _, rest = text.partition(b"\n\n")
    names = [group, *head.split(b"\n")[2::2]]
    found: dict[bytes, set[bytes]] = {name: set() for name in names}
    lines = rest.split(b"\n")
    step = len(names) + 1  # path, priority, slaves
    for start in range(0, len(lines) - step + 1, step):
        block = lines[start : start + step]
        if not block[0]:
            break
        for name, path in zip(names, [block[0], *block[2:]], strict=True):
            if path:
                found[name].add(posixpath.normpath(path))
    return {name: frozenset(paths) for name, paths in found.items()}
