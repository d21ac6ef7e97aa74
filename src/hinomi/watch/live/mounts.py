"""Mounts of this mount namespace, which of them hold files in scope, and which changed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MOUNTINFO = "/proc/self/mountinfo"
MAX_MOUNTINFO = 16 << 20
_ESCAPE = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount: `device` is major:minor of the file system, `root` the folder of it that is mounted at `point`."""

    number: int
    device: str
    root: bytes
    point: bytes
    kind: str


def parse_mounts(text: bytes) -> list[Mount]:
    """Read mountinfo (format: proc(5)); lines that make no sense are left out."""
    found = []
    for line in text.splitlines():
        fields = line.split(b" ")
        try:
            kind = fields[fields.index(b"-", 6) + 1].decode("ascii", "replace")
            device = fields[2].decode("ascii", "replace")
            found.append(Mount(int(fields[0]), device, _plain(fields[3]), _plain(fields[4]), kind))
        except (ValueError, IndexError):
            continue
    return found


def read_mounts(path: str = MOUNTINFO) -> list[Mount]:
    """Return the mounts as they are now."""
    with open(path, "rb") as file:
        return parse_mounts(file.read(MAX_MOUNTINFO))


def _plain(field: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), field)


def in_scope(
    mounts: Iterable[Mount], scopes: Sequence[bytes], leaves_out: Callable[[str], bool]
) -> tuple[list[Mount], list[Mount]]:
    """Return the visible mounts that hold files of `scopes`, and those of them that are left out by their kind.

    A later mount on the same point hides the earlier one. A scope's own file system counts, wherever it is mounted.
    """
    visible: dict[bytes, Mount] = {}
    for mount in mounts:
        visible[mount.point] = mount
    wanted = {}
    for scope in scopes:
        above = _holding(visible, scope)
        if above is not None:
            wanted[above.point] = above
        wanted |= {point: mount for point, mount in visible.items() if is_below(point, scope)}
    ordered = [wanted[point] for point in sorted(wanted)]
    return [m for m in ordered if not leaves_out(m.kind)], [m for m in ordered if leaves_out(m.kind)]


def _holding(visible: dict[bytes, Mount], path: bytes) -> Mount | None:
    """Return the mount that `path` itself lies on."""
    while path not in visible:
        if path == b"/":
            return None
        path = os.path.dirname(path)
    return visible[path]


def is_below(path: bytes, folder: bytes) -> bool:
    """Whether a path is a folder or lies in it."""
    return folder == b"/" or path == folder or path.startswith(folder + b"/")


def whole_first(mounts: Iterable[Mount]) -> list[Mount]:
    """Return one mount a file system, one that shows all of it where there is one (bind mounts show a part)."""
    best: dict[str, Mount] = {}
    for mount in mounts:
        known = best.get(mount.device)
        if known is None or (len(mount.root), len(mount.point)) < (len(known.root), len(known.point)):
            best[mount.device] = mount
    return list(best.values())
