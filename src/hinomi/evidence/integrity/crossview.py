"""What a folder's listing hides, though `stat` by name, its link count or the raw file system shows it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from hinomi.evidence.integrity.blocks import COUNTING, MANY_LINKS, StoredFolders, UnseenError, file_systems, opener
from hinomi.evidence.sources.root import RootView
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage

LOOKS = 3  # at a folder before anything is said of it
MAX_SUSPECTS = 1000
REFUSALS = ("no-live-reader", "no-permission")  # of a whole file system
Listed = dict[bytes, bool]  # name -> whether it is a folder
List = Callable[[int], Listed]


class HiddenEntry(NamedTuple):
    """An entry that its folder does not list; `how` says what shows it."""

    path: bytes
    kind: str
    how: str


def listed(fd: int) -> Listed:
    """Return what the kernel lists in an open folder."""
    with os.scandir(fd) as found:
        return {os.fsencode(item.name): item.is_dir(follow_symlinks=False) for item in found}


def hidden_entries(
    target: Target, known: Iterable[bytes], coverage: Coverage, *, raw: bool = True, listing: List = listed
) -> list[HiddenEntry]:
    """Return what is hidden; `known` are paths that were there once and are no longer listed.

    With `raw` every folder is compared with what its file system keeps of it and with its own count of links. What
    could not be compared is in the coverage. `listing` is how a folder is listed (for tests).
    """
    view = target.view
    if not isinstance(view, RootView):
        return []
    found = list(_by_name(view, known))
    if raw:
        found += [one for one in Folders(view, coverage, listing).hidden() if one not in found]
    return found


def _by_name(view: RootView, known: Iterable[bytes]) -> Iterator[HiddenEntry]:
    """A name that is no longer listed must not answer to `stat` either; looked at twice, so that a race is none."""
    for path in known:
        entry = view.entry(path)
        if entry is None or entry.path != path:
            continue
        folder, _, name = path.rpartition(b"/")
        if name not in view.listdir(folder or b"/") and view.entry(path) is not None:
            yield HiddenEntry(path, entry.kind, "stat")


class Folders:
    """All folders of a live file system, each listed and read as its file system keeps it."""

    def __init__(self, view: RootView, coverage: Coverage, listing: List) -> None:
        self._view = view
        self._coverage = coverage
        self._listing = listing
        self._kinds = file_systems()
        self._stored: dict[int, StoredFolders | str] = {}
        self._info: os.stat_result | None = None  # of the folder that the walk is at
        self._names: Listed | None = None

    def hidden(self) -> Iterator[HiddenEntry]:
        """Yield what stands in blocks or is counted as a link, and is not listed."""
        quiet = Coverage()  # the measuring walk has said what cannot be opened
        suspects: list[bytes] = []
        for path, folder in self._view.listings_below(b"/", quiet, self._walked):
            try:
                if self._is_suspect(folder.fd):
                    suspects.append(path)
            finally:
                folder.release()
        if len(suspects) > MAX_SUSPECTS:
            self._coverage.miss("cross-view", "", "budget", f"{len(suspects) - MAX_SUSPECTS} folders changed meanwhile")
            del suspects[MAX_SUSPECTS:]
        if suspects:
            os.sync()
        for path in suspects:
            yield from self._looked_at_again(path)

    def _walked(self, path: bytes, fd: int, coverage: Coverage) -> list[Entry]:
        """List a folder for the walk: its sub-folders, and all names for the comparison that follows."""
        prefix = path.rstrip(b"/") + b"/"
        try:
            self._info, self._names = os.fstat(fd), self._listing(fd)
        except OSError:
            self._names = None
            return []
        folders = [prefix + name for name, is_folder in sorted(self._names.items()) if is_folder]
        return [_entry(inside) for inside in folders if not self._view.leaves_out(inside, coverage)]

    # --- at first sight -------------------------------------------------------------------------------------------

    def _is_suspect(self, fd: int) -> bool:
        info, names = self._info, self._names
        if info is None or names is None:
            return False
        kind = self._kinds.get(info.st_dev, "unknown")
        counted = _lacking(info, kind, names) > 0
        stored = self._reader(fd, info, kind)
        if isinstance(stored, str):
            self._coverage.skip(f"not-cross-checked:{kind}:{stored}")
            return counted
        self._coverage.count("folders-cross-checked")
        try:
            return counted or not stored.names(fd, info).keys() <= names.keys()
        except UnseenError:
            return True  # decided by the second look

    def _reader(self, fd: int, info: os.stat_result, kind: str) -> StoredFolders | str:
        """Return the reader of a folder's file system, asked for that folder once, or why there is none."""
        if info.st_dev not in self._stored:
            self._stored[info.st_dev] = _opened(fd, info, kind)
        return self._stored[info.st_dev]

    # --- once more ------------------------------------------------------------------------------------------------

    def _looked_at_again(self, path: bytes) -> Iterator[HiddenEntry]:
        """Yield what is hidden at every look; a folder that changes meanwhile is said to have done so."""
        looks: list[set[HiddenEntry]] = []
        for _ in range(LOOKS):
            try:
                looks.append(self._look(path))
            except UnseenError as error:
                self._coverage.skip(f"not-cross-checked:{error}")
                return
            except OSError:
                return  # it went
        yield from sorted(set.intersection(*looks))

    def _look(self, path: bytes) -> set[HiddenEntry]:
        folder = self._view.folder_at(path)
        try:
            return self._compared(path, folder.fd)
        finally:
            folder.release()

    def _compared(self, path: bytes, fd: int) -> set[HiddenEntry]:
        info = os.fstat(fd)
        names = self._listing(fd)
        kind = self._kinds.get(info.st_dev, "unknown")
        lacking = _lacking(info, kind, names)
        stored = self._stored_anew(fd, info, kind)
        if os.fstat(fd).st_ctime_ns != info.st_ctime_ns:
            raise UnseenError("changing")
        prefix = path.rstrip(b"/") + b"/"
        unlisted = stored.keys() - names.keys()
        found = {HiddenEntry(prefix + n, _kind(n, fd), f"inode {stored[n]} in its folder as stored") for n in unlisted}
        if lacking and not found:
            how = f"link count {info.st_nlink}: {info.st_nlink - 2} sub-folders, {info.st_nlink - 2 - lacking} listed"
            found.add(HiddenEntry(prefix + b"?", "directory", how))
        return found

    def _stored_anew(self, fd: int, info: os.stat_result, kind: str) -> Mapping[bytes, int]:
        """Return the names that are stored; none where the folder's file system cannot be read."""
        if isinstance(self._reader(fd, info, kind), str):
            return {}
        return opener(info.st_dev, kind)(info.st_dev).names(fd, info)


def _opened(fd: int, info: os.stat_result, kind: str) -> StoredFolders | str:
    """Return a reader that has read a folder, or why there is none; one that is changing may still be read."""
    try:
        reader = opener(info.st_dev, kind)(info.st_dev)
    except UnseenError as error:
        return str(error)
    try:
        reader.names(fd, info)
    except UnseenError as error:
        if str(error) in REFUSALS:
            return str(error)
    return reader


def _lacking(info: os.stat_result, kind: str, names: Listed) -> int:
    """Return how many sub-folders are counted as links and not listed; 0 where the file system does not count them."""
    if kind not in COUNTING or not 2 < info.st_nlink < MANY_LINKS:
        return 0
    return max(0, info.st_nlink - 2 - sum(names.values()))


def _kind(name: bytes, folder: int) -> str:
    """Return what stands behind a hidden name, where the kernel tells."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return "file"
    return "directory" if stat.S_ISDIR(mode) else "symlink" if stat.S_ISLNK(mode) else "file"


def _entry(path: bytes) -> Entry:
    """Return as much of a folder's entry as the walk asks for."""
    return Entry(path, "directory", 0, 0, 0, 0, 0, 0, 2, 0.0, 0.0)
