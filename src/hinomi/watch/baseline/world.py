"""What an explanation may ask: how an entry was and is, who owns it, what it holds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from hinomi.watch.baseline.compare import Difference, Values
from hinomi.watch.baseline.entries import index_of, row_of

if TYPE_CHECKING:
    import pyarrow as pa

MAX_LINKS = 40
_INFO, _MANIFEST = b"/var/lib/dpkg/info", b".md5sums"


class Owner(NamedTuple):
    """What the manifest of the package installed now says of a path."""

    package: str
    kind: str | None  # md5, sha1, sha256; None where the manifest has no digest for it
    digest: str | None  # hex


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a difference is no surprise. `left` are attributes it does not account for; nothing may be left."""

    why: str
    by: str = ""
    strength: str = "content"
    left: tuple[str, ...] = ()


class Inside(NamedTuple):
    """An entry of an image or package file; `sha256` and `text` (where it is small) of regular files."""

    path: bytes
    kind: str
    mode: int
    link: bytes | None
    sha256: bytes | None
    text: bytes | None


class Reader(Protocol):
    """What is asked of the target itself; `OSError` for what cannot be read."""

    def open(self, path: bytes) -> BinaryIO:
        """Open a regular file of the target."""

    def owner(self, path: bytes) -> Owner | None:
        """Return who owns a path now, by the target's own package databases."""

    def digest(self, path: bytes, kind: str) -> str:
        """Return a file's digest of one kind in hex."""

    def members(self, path: bytes) -> list[Inside] | None:
        """Return all that an image of the target holds; None where not all of it can be read."""

    def control(self, path: bytes) -> list[Inside] | None:
        """Return the control members of a Debian package file of the target; None where they cannot be read."""


class World:
    """The target before and now: what does not differ is as it was."""

    def __init__(
        self,
        old: pa.Table | None,
        differences: list[Difference],
        reader: Reader,
        packages_before: Mapping[str, str],
        packages_now: Mapping[str, str],
    ) -> None:
        """Take the baseline's entries and what differs from them; packages are name -> "version manifest-digest".

        Without `old` there are no entries but those that differ.
        """
        self.reader = reader
        self.differences = {difference.path: difference for difference in differences}
        self.reasons: dict[bytes, Reason] = {}
        self._old = old
        self._old_index: dict[bytes, int] | None = None
        self._before, self._now = packages_before, packages_now
        self._sorted = sorted(self.differences)
        self._paths: list[bytes] | None = None
        self._doubted: frozenset[str] | None = None
        self._kept: dict[tuple[bytes | str, ...], object] = {}

    # --- packages -------------------------------------------------------------------------------------------------

    def version(self, package: str) -> str:
        """Return a package's version now, empty where it is not installed."""
        return self._now.get(package, "").partition(" ")[0]

    def package_changed(self, package: str | None) -> bool:
        """Whether a package came, went or has another version than in the baseline."""
        if package is None:
            return False
        return self._before.get(package, "").partition(" ")[0] != self.version(package)

    def altered_manifests(self) -> list[str]:
        """Return packages of the same version whose manifest differs: what they vouch for is worth nothing."""
        same_version = {
            name
            for name, now in self._now.items()
            if (was := self._before.get(name)) is not None
            and was != now
            and was.partition(" ")[0] == now.partition(" ")[0]
        }
        return sorted(same_version | {name for name in self._doubtful() if name in self._now})

    def _doubtful(self) -> frozenset[str]:
        """Return the packages whose manifest file differs and has no reason (asked once those are explained)."""
        if self._doubted is None:
            manifests = [path for path in self.differing_below(_INFO) if path.endswith(_MANIFEST)]
            doubted = [path for path in manifests if not self.is_explained(path)]
            names = [path[len(_INFO) + 1 : -len(_MANIFEST)].partition(b":")[0] for path in doubted]
            self._doubted = frozenset(name.decode("utf-8", "replace") for name in names)
        return self._doubted

    def believes(self, package: str) -> bool:
        """Whether a package's manifest may explain anything."""
        was, now = self._before.get(package), self._now.get(package)
        if now is None or package in self._doubtful():
            return False
        return was is None or was == now or self.package_changed(package)

    def package_before(self, path: bytes) -> str | None:
        """Return who owned a path in the baseline."""
        values = self.before(path)
        return None if values is None else values["package"]

    def cached(self, key: tuple[bytes | str, ...], make: Callable[[], object]) -> object:
        """Return what an explanation keeps for the entries after it, made at the first question."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def changed_packages(self) -> list[str]:
        """Return the packages that came, went or have another version than in the baseline."""
        names = self._before.keys() | self._now.keys()
        return sorted(name for name in names if self.package_changed(name))

    def is_installed(self, package: str) -> bool:
        """Whether a package is installed now."""
        return package in self._now

    def was_installed(self, package: str) -> bool:
        """Whether a package was installed in the baseline."""
        return package in self._before

    def by_digest(self, sha256: bytes) -> list[bytes]:
        """Return the packaged paths that hold this content and are as they were or explained."""
        found = self.cached(("by-digest",), self._packaged)
        assert isinstance(found, dict)  # cached under this key here only
        return [path for path in found.get(sha256, ()) if self.is_sound(path)]

    def _packaged(self) -> dict[bytes, list[bytes]]:
        """Return {digest: paths} of all regular files that a package owns now."""
        found: dict[bytes, list[bytes]] = {}
        for path, digest, package in self._columns("path", "sha256", "package"):
            if digest is not None and package is not None and path not in self.differences:
                found.setdefault(digest, []).append(path)
        for path, difference in self.differences.items():
            digest = (difference.new or {}).get("sha256")
            if digest is not None and self.reader.owner(path) is not None:
                found.setdefault(digest, []).append(path)
        return found

    # --- entries --------------------------------------------------------------------------------------------------

    def _columns(self, *names: str) -> Iterable[tuple[Any, ...]]:
        if self._old is None:
            return ()
        return zip(*(self._old.column(name).to_pylist() for name in names), strict=True)

    def _index(self) -> dict[bytes, int]:
        """Return the row number of each path in the baseline."""
        if self._old_index is None:
            self._old_index = {} if self._old is None else index_of(self._old)
        return self._old_index

    def before(self, path: bytes) -> Values | None:
        """Return an entry as the baseline has it."""
        difference = self.differences.get(path)
        if difference is not None:
            return difference.old
        number = self._index().get(path)
        return None if number is None or self._old is None else row_of(self._old, number)

    def now(self, path: bytes) -> Values | None:
        """Return an entry as it is now; one that does not differ is as it was."""
        difference = self.differences.get(path)
        return difference.new if difference is not None else self.before(path)

    def standing(self, path: bytes) -> Values | None:
        """Return an entry as it is at this moment, whether or not anything was told of it."""
        return self.now(path)

    def differing_below(self, folder: bytes) -> list[bytes]:
        """Return the paths that differ below a folder."""
        return _below(self._sorted, folder.rstrip(b"/") + b"/")

    def paths_below(self, folder: bytes) -> list[bytes]:
        """Return the paths that are or were below a folder, in order."""
        if self._paths is None:
            self._paths = list(self._index())
        prefix = folder.rstrip(b"/") + b"/"
        return sorted({*_below(self._paths, prefix), *_below(self._sorted, prefix)})

    def paths_in(self, folder: bytes) -> list[bytes]:
        """Return the paths that are or were in a folder itself."""
        depth = folder.rstrip(b"/").count(b"/") + 1
        return [path for path in self.paths_below(folder) if path.count(b"/") == depth]

    def is_sound(self, path: bytes) -> bool:
        """Whether what stands at a path (links followed) is as it was, or explained."""
        real = self.resolve(path, self.now)
        if real is None or self.now(real) is None:
            return False
        return real not in self.differences or self.is_explained(real)

    def is_explained(self, path: bytes) -> bool:
        """Whether a difference has a reason that leaves nothing over."""
        reason = self.reasons.get(path)
        return reason is not None and not reason.left

    def resolve(self, path: bytes, at: Callable[[bytes], Values | None]) -> bytes | None:
        """Follow links in the tree of one time (`self.now` or `self.before`); None where they lead nowhere."""
        done: list[bytes] = []
        todo = [part for part in path.split(b"/") if part not in (b"", b".")][::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part == b"..":
                del done[-1:]
                continue
            here = b"/" + b"/".join([*done, part])
            values = at(here)
            if values is None:
                return None
            if values["kind"] != "symlink" or values["link"] is None:
                done.append(part)
                continue
            links += 1
            if links > MAX_LINKS:
                return None
            target: bytes = values["link"]
            if target.startswith(b"/"):
                done.clear()
            todo.extend([p for p in target.split(b"/") if p not in (b"", b".")][::-1])
        return b"/" + b"/".join(done)

    def read(self, path: bytes, limit: int) -> bytes | None:
        """Return a file's content; None where it cannot be read or is larger than `limit`."""
        try:
            with self.reader.open(path) as file:
                data = file.read(limit + 1)
        except OSError:
            return None
        return data if len(data) <= limit else None


def _below(paths: list[bytes], prefix: bytes) -> list[bytes]:
    start = bisect_left(paths, prefix)
    end = bisect_left(paths, prefix[:-1] + b"0", start)  # 0 follows / in ASCII
    return paths[start:end]
