"""Who owns a path, and is it as it was shipped: all package databases of a target in one small index.

A Debian desktop owns 300,000 paths. Kept are a 64-bit hash of each path (Python's keyed hash: nobody outside can aim at
a collision), its package's number and its digest, sorted in flat arrays: some 30 bytes a path.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import islice
from threading import Lock

from hinomi.evidence.packages import OwnedPath, load_databases
from hinomi.evidence.target import Owner, Ownership
from hinomi.evidence.view import FileSystemView
from hinomi.model.findings import Coverage

DIGEST_KINDS = {16: "md5", 20: "sha1", 32: "sha256"}
MAX_OWNED = 20_000_000


class _Index:
    """Owned paths in sorted order of their hash."""

    def __init__(self, owned: Iterable[OwnedPath], aliases: _Aliases) -> None:
        numbers: dict[str, int] = {}
        keys, packages, digests = array("q"), array("L"), array("q")
        blob, real = bytearray(), aliases.real
        last, number = None, 0
        for path, package, digest in islice(owned, MAX_OWNED):
            if package is not last:
                last, number = package, numbers.setdefault(package, len(numbers))
            keys.append(hash(real(path)))
            packages.append(number)
            if digest is None:
                digests.append(-1)
                continue
            digests.append(len(blob))
            blob.append(len(digest))
            blob += digest
        order = sorted(range(len(keys)), key=keys.__getitem__)
        self._keys = array("q", [keys[i] for i in order])
        self._packages = array("L", [packages[i] for i in order])
        self._digests = array("q", [digests[i] for i in order])
        self._blob = bytes(blob)
        self._names = list(numbers)

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, path: bytes) -> Owner | None:
        """Return (package, digest) of a real path; of several owners the one that has a digest."""
        key, keys = hash(path), self._keys
        at = bisect_left(keys, key)
        found: Owner | None = None
        while at < len(keys) and keys[at] == key:
            start = self._digests[at]
            digest = self._blob[start + 1 : start + 1 + self._blob[start]] if start >= 0 else None
            if found is None or (found[1] is None and digest is not None):
                found = self._names[self._packages[at]], digest
            at += 1
        return found


class _Aliases:
    """Folders of the first two levels that are links: databases say /bin/ls, the tree has /usr/bin/ls."""

    def __init__(self, view: FileSystemView) -> None:
        self._view = view
        self._known: dict[bytes, bytes | None] = {}  # None: it is where it says

    def real(self, path: bytes) -> bytes:
        """Return the path with linked folders of the first levels replaced."""
        cut = path.find(b"/", 1)
        if cut < 0:
            return path
        second = path.find(b"/", cut + 1)
        folder = path[: cut if second < 0 else second]
        try:
            known = self._known[folder]
        except KeyError:
            known = self._known.setdefault(folder, self._moved(folder))
        return path if known is None else known + path[len(folder) :]

    def _moved(self, folder: bytes) -> bytes | None:
        real = self._view.resolve(folder)
        return real if real and real != folder else None


class PackageOwnership:
    """Answers from the target's own databases (implements `Ownership`); they are read at the first question."""

    def __init__(self, view: FileSystemView) -> None:
        """Remember the view; nothing is read yet."""
        self._view = view
        self._lock = Lock()
        self._aliases = _Aliases(view)
        self._index: _Index | None = None
        self._last: tuple[bytes, Owner | None] = (b"", None)

    def load(self, coverage: Coverage) -> None:
        """Read the databases now; what of them cannot be read is a miss."""
        with self._lock:
            if self._index is None:
                view = self._view
                found = [database for database in load_databases() if database.present(view)]
                self._index = _Index((path for d in found for path in d.owned(view, coverage)), self._aliases)

    def _find(self, path: bytes) -> Owner | None:
        if self._index is None:
            self.load(Coverage())
        if not self._index:  # no database at all
            return None
        last = self._last
        if last[0] == path:  # several questions come in a row for one path
            return last[1]
        found = self._index.find(self._aliases.real(path))
        self._last = path, found
        return found

    @property
    def is_empty(self) -> bool:
        """Whether the target has no package database: nothing is owned, every other answer is None."""
        if self._index is None:
            self.load(Coverage())
        return not self._index

    def manifest(self, path: bytes) -> Owner | None:
        """Return the owning package and the digest that its manifest has for the path."""
        return self._find(path)

    def package_of(self, path: bytes) -> str | None:
        """Return the owning package's name."""
        found = self._find(path)
        return found[0] if found else None

    def digest_kind(self, path: bytes) -> str | None:
        """Return which digest the database holds."""
        found = self._find(path)
        return DIGEST_KINDS.get(len(found[1])) if found and found[1] else None

    def state(self, path: bytes, digest: str | None) -> str | None:
        """Return intact, modified or unowned; None where the target has no database."""
        found = self._find(path)
        return state_of(found, digest) if self._index else None


def state_of(owner: Owner | None, digest: str | None) -> str:
    """Return intact, modified or unowned, for what `manifest` says of a path and the file's digest in hex."""
    if owner is None:
        return "unowned"
    if digest is None or owner[1] is None:
        return "intact"
    return "intact" if owner[1].hex() == digest.lower() else "modified"


def ownership_of(view: FileSystemView) -> Ownership:
    """Return the ownership of a target, read when it is first asked for."""
    return PackageOwnership(view)
