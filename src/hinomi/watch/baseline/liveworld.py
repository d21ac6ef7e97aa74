"""The world of a watch: what was, is the last known state; what a change leans on must have been sound all along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from hinomi.watch.baseline.compare import Difference, Values
from hinomi.watch.baseline.entries import COLUMNS
from hinomi.watch.baseline.world import Reader, World
from hinomi.watch.known import Facts

_UNKNOWN: Values = dict.fromkeys(COLUMNS)
_ALWAYS = ("kind", "mode", "uid", "gid", "link")
_OF_CONTENT = ("inode", "size", "mtime", "ctime", "sha256", "capabilities")
MAX_OUTSIDE = 512 << 20  # bytes of unwatched files that are read in one world to see whether a package vouches for them
UNTRACKED = "untracked"  # only ctime moved: an attribute that the last known state does not have (ACL, flags, ...)


class LastKnown(Protocol):
    """The last known state of what is watched (`hinomi.watch.known.Known`)."""

    def get(self, path: bytes) -> Facts | None:
        """Return one entry's."""

    def children(self, folder: bytes) -> dict[bytes, Facts]:
        """Return those in a folder by name."""

    def below(self, folder: bytes) -> Iterator[tuple[bytes, Facts]]:
        """Yield those below a folder."""


class LiveWorld(World):
    """Answers from the last known state instead of a baseline's table."""

    def __init__(
        self,
        known: LastKnown,
        differences: list[Difference],
        reader: Reader,
        packages_before: Mapping[str, str],
        packages_now: Mapping[str, str],
        standing: Callable[[bytes], Facts | None],
    ) -> None:
        """As `World`; nothing is read of `known` until it is asked for. `standing` tells what is not watched."""
        super().__init__(None, differences, reader, packages_before, packages_now)
        self._known = known
        self._standing = standing
        self._outside = MAX_OUTSIDE

    def before(self, path: bytes) -> Values | None:
        """Return an entry as it was known last."""
        difference = self.differences.get(path)
        if difference is not None:
            return difference.old
        facts = self._known.get(path) or self._standing(path)
        return None if facts is None else values_of(path, facts)

    def standing(self, path: bytes) -> Values | None:
        """Return an entry as it is at this moment: nothing is told of a folder's times."""
        facts = self._standing(path)
        return None if facts is None else values_of(path, facts)

    def paths_below(self, folder: bytes) -> list[bytes]:
        """Return the paths that are or were below a folder, in order."""
        return sorted({*(path for path, _ in self._known.below(folder)), *self.differing_below(folder)})

    def paths_in(self, folder: bytes) -> list[bytes]:
        """Return the paths that are or were in a folder itself."""
        depth = folder.rstrip(b"/").count(b"/") + 1
        known = {folder.rstrip(b"/") + b"/" + name for name in self._known.children(folder)}
        return sorted(known | {path for path in self.differing_below(folder) if path.count(b"/") == depth})

    def is_sound(self, path: bytes) -> bool:
        """As in `World`, but nothing that changed without a reason; the unwatched must be as a package has it."""
        real = self.resolve(path, self.now)
        if real is None or real in self.differences:
            return super().is_sound(path)
        facts = self._known.get(real)
        return (
            not facts.unexplained
            if facts is not None
            else bool(self.cached(("vouched", real), lambda: self._vouched(real)))
        )

    def _vouched(self, path: bytes) -> bool:
        """Whether a package's manifest says exactly what an unwatched file holds."""
        owner, facts = self.reader.owner(path), self._standing(path)
        if owner is None or owner.kind is None or facts is None or facts.kind != "file" or facts.size > self._outside:
            return False
        self._outside -= facts.size
        try:
            return self.reader.digest(path, owner.kind) == owner.digest
        except OSError:
            return False


def values_of(path: bytes, facts: Facts) -> Values:
    """Return an entry's last known state by the names of a baseline's columns; what is not tracked is None."""
    return _UNKNOWN | {"path": path} | {name: getattr(facts, name, None) for name in _TRACKED}


_TRACKED = (*_ALWAYS, *_OF_CONTENT, "package")


def difference_of(path: bytes, old: Facts | None, new: Facts | None) -> Difference:
    """Return what two states of an entry differ in."""
    before, now = (None if facts is None else values_of(path, facts) for facts in (old, new))
    if before is None or now is None:
        return Difference(path, "added" if now is not None else "removed", (), before, now)
    names: Iterable[str] = _ALWAYS
    if before["kind"] != "directory" or now["kind"] != "directory":
        names = (*_ALWAYS, *_OF_CONTENT)
    differing = tuple(name for name in names if before[name] != now[name])
    return Difference(path, "changed", (*differing, UNTRACKED) if differing == ("ctime",) else differing, before, now)
