"""Small files of open folders, each in one call of the compiled core instead of a dozen calls of the system.

What the core refuses (gone, replaced, changing, larger than listed) is read in Python after all, which says why.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

from hinomi.evidence.folders import DescriptorView, Folder
from hinomi.evidence.native import compiled
from hinomi.evidence.view import Entry, FileSystemView

AT_ONCE = 64 << 10  # bytes; above, a call costs little beside its file
OTHER = {"md5": 1, "sha1": 2}  # what the core calls them
_PLACE = 24  # bytes of the core's account of where it is, which nobody watches here


class SmallFile(NamedTuple):
    """A whole file, its SHA-256, the digest its package has, and its extended attributes."""

    data: bytes
    sha256: str
    digest: str
    xattrs: dict[str, bytes]


class SmallFiles:
    """Reads the small files of one target."""

    def __init__(self, core: ModuleType, limit: int) -> None:
        """Take the core and how large a file may be."""
        self._core = core
        self._limit = limit
        self._place = bytearray(_PLACE)

    def read(self, folder: Folder, entry: Entry, kind: str | None) -> SmallFile | None:
        """Return a file whole; None for what is to be read in Python. `kind` is the digest its package has."""
        item = folder.fd, entry, OTHER.get(kind or "", 0)  # type: ignore[attr-defined]  # of views read by descriptor
        (answer,) = self._core.read_files((item,), self._place, self._limit, AT_ONCE, AT_ONCE, False)
        outcome, size, sha256, other, data, xattrs, _ = answer
        if outcome != 0 or size != len(data):
            return None
        digest = sha256.hex()
        return SmallFile(data, digest, digest if other is None else other.hex(), xattrs or {})


def small_files(view: FileSystemView, limit: int) -> SmallFiles | None:
    """Return a reader of small files; None where the core was not built, or folders are not the system's."""
    core = compiled("digests") if isinstance(view, DescriptorView) and view.by_descriptor else None
    return SmallFiles(core, limit) if core is not None else None
