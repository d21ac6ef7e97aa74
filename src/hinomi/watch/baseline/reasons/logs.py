"""Logs that grew or were rotated: what they held in the baseline must still be there, in order, compressed or not.

A family is a log and its rotated copies (`x.log`, `x.log.1`, `x.log.2.gz`, `x.log-20260101.gz`). Every copy of the
baseline must be found again as the beginning of a copy now; only the oldest may have gone, and only if it was rotated.
A watcher may look between any two steps of a rotation: a copy may still be in the making beside what it is made of.
"""

from __future__ import annotations

import re
from functools import cached_property

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.reasons.log_content import begins_with, grew_while_read, is_copy_of
from hinomi.watch.baseline.world import Reason, World

PLACES = (b"/var/log/", b"/var/adm/")
ONE_ROTATION = 900 * 10**9  # nanoseconds from the making of the youngest copy to the removal of the oldest
_MEMBER = re.compile(rb"(.+?)(?:[.-](\d{1,14}(?:-\d{1,10})?)|\.(old))?(?:\.(?:gz|xz|bz2|zst))?")
_DATE_FROM = 100_000  # numbers from here are dates: larger is younger
_RIGHTS = frozenset({"mode", "uid", "gid", "acl", "xattrs", "capabilities", "label", "flags", "kind"})


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain one member of a family of logs."""
    path = difference.path
    if not path.startswith(PLACES) and not re.search(rb"\.log(?:[.-]|$)", path):
        return None
    if difference.kind != "file" or (difference.new is not None and not _is_log(difference, world)):
        return None
    family = world.cached(("log", *family_of(path)), lambda: Family(*family_of(path), world))
    assert isinstance(family, Family)  # cached under this key by this module only
    return family.reason(difference)


def _is_log(difference: Difference, world: World) -> bool:
    """Whether an entry is data that nobody can run, under the rights it had."""
    new = difference.new or {}
    if new["mode"] & 0o6111 or (difference.what == "changed" and _RIGHTS & set(difference.attributes)):
        return False
    return not _head(difference.path, world).startswith((b"\x7fELF", b"#!", b"MZ", b"<?php"))


def _head(path: bytes, world: World) -> bytes:
    try:
        with world.reader.open(path) as file:
            return file.read(8)
    except OSError:
        return b""


def family_of(path: bytes) -> tuple[bytes, bytes]:
    """Return folder and stem: the log that a rotated copy is of."""
    folder, _, name = path.rpartition(b"/")
    found = _MEMBER.fullmatch(name)
    return folder, found[1] if found else name


def _age(path: bytes) -> int:
    """Return a member's age for ordering: 0 is the log itself, larger is older."""
    found = _MEMBER.fullmatch(path.rpartition(b"/")[2])
    if found is None or (found[2] is None and found[3] is None):
        return 0
    if found[2] is None:
        return 1
    number = int(found[2].replace(b"-", b""))
    return (1 << 60) - number if number >= _DATE_FROM else number + 1


class Family:
    """One log with its rotated copies, before and now."""

    def __init__(self, folder: bytes, stem: bytes, world: World) -> None:
        self._world = world
        self._folder = folder
        paths = [p for p in world.paths_in(folder) if family_of(p) == (folder, stem)]
        self._before = {p: v for p in paths if (v := world.before(p)) is not None and v["sha256"] is not None}
        self._now = {p: v for p in paths if (v := world.now(p)) is not None and v["kind"] == "file"}

    def reason(self, difference: Difference) -> Reason | None:
        """Explain one member's difference."""
        path = difference.path
        if difference.new is None:
            return self._gone(path)
        if path in self._lost:
            return None
        if path in self._before and path not in self._kept:
            return Reason("log-rotated", "", "content")
        origin = self._origin.get(path)
        if origin == path:
            return Reason("log-grown", "", "sha256")
        return self._made(path, origin) if self._all_kept else None

    def _made(self, path: bytes, origin: bytes | None) -> Reason | None:
        """Explain a member that stands where it did not, or where another one did; nothing of the others is lost."""
        source = origin or self._copied.get(path)
        if source is not None:
            return Reason("log-rotated", _shown(source), "sha256")
        had_more = self._kept.get(path) == path and self._before[path]["size"]  # and has still: it was added to
        if not had_more and all(_age(path) < _age(p) for p in self._known_now):
            return Reason("log-new", "", "declared" if not self._before else "content")
        return None

    def _gone(self, path: bytes) -> Reason | None:
        if path in self._kept:
            return Reason("log-rotated", _shown(self._kept[path]), "sha256")
        return Reason("log-expired", "", "content") if path in self._expired else None

    @cached_property
    def _origin(self) -> dict[bytes, bytes | None]:
        """Each member now -> the member of the baseline whose content it begins with."""
        return {path: self._origin_of(path) for path in self._now}

    def _origin_of(self, path: bytes) -> bytes | None:
        values = self._now[path]
        same = [p for p, old in self._before.items() if old["sha256"] == values["sha256"] and old["size"]]
        if same:
            return path if path in same else same[0]
        candidates = {p: old for p, old in self._before.items() if old["size"]}
        fitting = begins_with(path, candidates, self._world)
        if not fitting and path in candidates and grew_while_read(path, candidates[path], self._world):
            return path
        return max(fitting, key=lambda p: (candidates[p]["size"], p == path), default=None)

    @cached_property
    def _known_now(self) -> list[bytes]:
        return [path for path, origin in self._origin.items() if origin is not None]

    @cached_property
    def _copied(self) -> dict[bytes, bytes]:
        """Each member of unknown content -> one that stands beside it and begins with all that it holds.

        So are copies while they are made: what they are made of goes only once they are whole.
        """
        found = {}
        for path in self._now.keys() - set(self._known_now):
            others = {p: self._now[p] for p in self._known_now if p != path}
            source = is_copy_of(path, self._now[path], others, self._world)
            if source is not None:
                found[path] = source
        return found

    @cached_property
    def _kept(self) -> dict[bytes, bytes]:
        """Each member of the baseline whose content is still there -> where. Empty ones are kept wherever."""
        found = {origin: path for path, origin in self._origin.items() if origin is not None}
        found.update((path, path) for path, old in self._before.items() if not old["size"])
        missing = {path: old for path, old in self._before.items() if path not in found}
        for path in self._now if missing else ():
            held = begins_with(path, missing, self._world, packed=True)
            found.update((p, path) for p in held)
            missing = {p: old for p, old in missing.items() if p not in held}
        return found

    @cached_property
    def _expired(self) -> frozenset[bytes]:
        """The oldest members, where something was rotated: no older one may be left."""
        lost = sorted((p for p in self._before if p not in self._kept), key=_age)
        oldest_kept = max((_age(p) for p in self._kept), default=-1)
        aged = [p for p in lost if _age(p) > max(oldest_kept, 0)]
        rotated = any(origin not in (None, path) for path, origin in self._origin.items())
        return frozenset(aged if rotated or (len(aged) == 1 and self._just_rotated) else ())

    @property
    def _just_rotated(self) -> bool:
        """Whether the folder last changed at the end of a rotation: it takes the oldest copy away after all else."""
        folder = self._world.standing(self._folder)
        moved = max((v["ctime"] or 0 for p, v in self._now.items() if _age(p)), default=0)
        return folder is not None and 0 <= (folder["mtime"] or 0) - moved <= ONE_ROTATION

    @cached_property
    def _lost(self) -> frozenset[bytes]:
        return frozenset(p for p in self._before if p not in self._kept and p not in self._expired)

    @property
    def _all_kept(self) -> bool:
        return not self._lost


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
