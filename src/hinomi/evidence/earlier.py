"""Readings that an earlier scan kept, of single files and of whole folders, and those kept for the next one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hinomi.evidence.cache import ContentCache, Storage, beyond, is_stable, version_of
from hinomi.evidence.collector import ContentCollector
from hinomi.evidence.filerows import FileRows
from hinomi.evidence.folders import Folder
from hinomi.evidence.keptfolders import Gathering, KeptFolder, Place, stamp_of
from hinomi.evidence.reading import Reading, decode
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage


class EarlierReadings:
    """What is known of one target's files from before. Knows nothing unless it has a folder and is open."""

    def __init__(
        self,
        target: Target,
        rows: FileRows,
        coverage: Coverage,
        collectors: Sequence[ContentCollector],
        folder: Path | None,
    ) -> None:
        """Prepare; `folder` is the cache's."""
        self._target = target
        self._rows = rows
        self._coverage = coverage
        self._collectors = collectors
        self._cache_folder = folder
        self._beyond = beyond(collectors)
        self._storage = Storage()
        self._cache: ContentCache | None = None

    def open(self) -> None:
        """Open the cache, where the answers of all collectors may be kept."""
        if self._cache_folder is None or not self._collectors:
            return
        version = version_of(self._collectors, self._target.limits)
        if version is not None:
            self._cache = ContentCache(self._cache_folder, version, self._coverage)

    def close(self) -> None:
        """Write what is to be kept."""
        if self._cache is not None:
            self._cache.close()

    def enter(self, folder: Folder) -> tuple[Place | None, KeptFolder | None, Gathering | None]:
        """Begin a folder: return where its files are kept, and the whole of it where nothing changed, or else what its
        new answers are gathered in.
        """
        if self._cache is None or not folder.entries:
            return None, None, None
        place, kept, gathering = self._storage.of(folder), None, None
        path = folder.entries[0].path.rpartition(b"/")[0]
        if place is not None:
            kept, gathering = self._whole(self._cache, place, path, folder.entries)
        if kept is None:
            self._cache.enter(path, len(folder.entries))
        return place, kept, gathering

    def _whole(
        self, cache: ContentCache, place: Place, path: bytes, entries: Sequence[Entry]
    ) -> tuple[KeptFolder | None, Gathering | None]:
        files = [entry for entry in entries if entry.kind == "file"]
        stamp = stamp_of(files) if self._target.limits.chosen_max_size is None else None
        if stamp is None or any(entry.device != place[0] for entry in files):
            return None, None
        answers = cache.get_folder(place, path, stamp)
        kept = self._unchanged(entries, len(files), answers) if answers is not None else None
        return kept, None if kept is not None else Gathering(place, path, stamp, len(files))

    def _unchanged(self, entries: Sequence[Entry], files: int, answers: list[bytes]) -> KeptFolder | None:
        """Return a folder with its kept readings; None where they make no sense or do not fit the packages of today."""
        if len(answers) != files:
            return None
        left = iter(answers)
        try:
            readings = [decode(next(left)) if entry.kind == "file" else None for entry in entries]
        except ValueError:
            return None
        owners = [*map(self._rows.owner_of, entries)]
        fits = self._rows.fits_owner
        sound = all(r is None or fits(r, owner) for r, owner in zip(readings, owners, strict=True))
        return KeptFolder(entries, readings, owners) if sound else None

    def reading_of(self, entry: Entry, place: Place) -> Reading | None:
        """Return one file's reading."""
        payload = self._cache.get(entry, place) if self._cache is not None else None
        if payload is None:
            return None
        try:
            reading = decode(payload)
        except ValueError:
            return None
        if not self._rows.fits(entry, reading):
            return None
        self._coverage.examined["files-from-cache"] += 1
        reading.payload = payload
        return reading

    def keep(self, entry: Entry, place: Place, reading: Reading, payload: bytes) -> None:
        """Keep an answer for the next scan, where it would be the same then."""
        if self._cache is None or reading.sha256 is None or not is_stable(reading.coverage):
            return
        kind = reading.content_type or ""
        if not any(collector.looks_beyond(entry, kind) for collector in self._beyond):
            self._cache.put(entry, place, payload)
            reading.payload = payload

    def keep_folder(self, gathering: Gathering) -> None:
        """Keep all answers of a folder together."""
        if self._cache is not None:
            self._cache.put_folder(gathering)
