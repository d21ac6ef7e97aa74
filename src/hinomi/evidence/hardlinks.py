"""Hard-linked files: one is read under its first name, and the others take that reading."""

from __future__ import annotations

from hinomi.evidence.filerows import FileRows
from hinomi.evidence.reading import Reading
from hinomi.evidence.view import Entry

MAX_LINKED = 20_000  # files remembered at once; beyond, one is read again


class _Twin:
    """A file whose reading waits for its other names."""

    __slots__ = ("entry", "reading", "waiting")

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        self.entry: Entry | None = None
        self.reading: Reading | None = None


class Twins:
    """The hard-linked files of one walk. Names come in walk order, and so do their readings."""

    def __init__(self, rows: FileRows) -> None:
        """Take what knows whether a reading fits another name."""
        self._rows = rows
        self._twins: dict[tuple[int, int], _Twin] = {}

    def knows(self, entry: Entry) -> bool:
        """Whether the file was met under another name; if not, it is known from now on."""
        key = entry.device, entry.inode
        if key in self._twins:
            return True
        if len(self._twins) < MAX_LINKED:
            self._twins[key] = _Twin(entry.links - 1)
        return False

    def remember(self, entry: Entry, reading: Reading) -> None:
        """Keep the reading of the first name."""
        twin = self._twins.get((entry.device, entry.inode))
        if twin is not None and twin.reading is None:
            twin.entry, twin.reading = entry, reading

    def reading_of(self, entry: Entry) -> Reading | None:
        """Return the reading for a further name; None where there is none, or this name wants a digest of its own."""
        key = entry.device, entry.inode
        twin = self._twins.get(key)
        if twin is None or twin.reading is None or twin.entry is None:
            return None
        twin.waiting -= 1
        if twin.waiting <= 0:
            del self._twins[key]
        return self._rows.twin(entry, twin.entry, twin.reading) if self._rows.fits(entry, twin.reading) else None
