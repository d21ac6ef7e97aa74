"""Look at single paths the way a scan looks at all: the same pipeline, the same collectors, for a few entries."""

from __future__ import annotations

import errno
import gc
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hinomi.evidence.collect import collect
from hinomi.evidence.collector import ContentCollector, load_collectors
from hinomi.evidence.options import Selection
from hinomi.evidence.pipeline import KeptWorkers
from hinomi.evidence.sources.descriptors import OpenFolder, make_entry
from hinomi.evidence.sources.live import live_target
from hinomi.evidence.sources.root import RootView
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.flow.watching.partview import PartView
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import File
from hinomi.model.text import path_bytes
from hinomi.watch.known import Facts

Wanted = Callable[[bytes, Entry], bool]
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass(slots=True)
class Seen:
    """What stands at the paths that were asked for: every entry, and rows of those whose content was wanted."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    rows: dict[bytes, list[Row]] = field(default_factory=lambda: defaultdict(list))
    coverage: Coverage = field(default_factory=Coverage)
    unread: set[bytes] = field(default_factory=set)  # of which nobody could say whether anything stands there


class PathsView(PartView):
    """Some paths of a root view as a view of their own; the rest can be read by path."""

    def __init__(self, view: RootView, paths: Iterable[bytes], wanted: Wanted, seen: Seen) -> None:
        super().__init__(view)
        self._paths = paths
        self._wanted = wanted
        self._seen = seen

    def folders(self, coverage: Coverage) -> Iterator[OpenFolder]:
        """Yield the folders of the paths with those entries that are wanted."""
        by_folder: dict[bytes, list[bytes]] = defaultdict(list)
        for path in self._paths:
            by_folder[path.rpartition(b"/")[0] or b"/"].append(path)
        for parent in sorted(by_folder):
            try:
                folder = self._view.folder_at(parent)
            except OSError as error:
                self._failed(by_folder[parent], error)
                continue
            folder.entries = [e for path in sorted(by_folder[parent]) if (e := self._entry(path, folder)) is not None]
            yield folder

    def _entry(self, path: bytes, folder: OpenFolder) -> Entry | None:
        """Return the entry where it is there and wanted."""
        name = path.rpartition(b"/")[2] or b"."
        try:
            info = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
            link = os.readlink(name, dir_fd=folder.fd) if (info.st_mode & 0o170000) == 0o120000 else None
        except OSError as error:
            self._failed([path], error)
            return None
        entry = make_entry(path, info, link)
        self._seen.entries[path] = entry
        return entry if self._wanted(path, entry) else None

    def _failed(self, paths: Iterable[bytes], error: OSError) -> None:
        """Note paths that may be there for all we know; most often they are gone, with their folder or without."""
        if error.errno not in _GONE:
            self._seen.unread.update(paths)


class Looker:
    """Looks at this host. Workers stay between two looks; `refresh` forgets what depends on mounts and packages."""

    def __init__(
        self, watchers: Sequence[ContentCollector], *, selection: Selection | None, own: bytes, jobs: int, nice: bool
    ) -> None:
        """`watchers` are the content collectors beyond the package's own, `own` a folder that walks leave out."""
        content = [c for c in load_collectors() if isinstance(c, ContentCollector)]
        self._collectors = content
        self._watchers = watchers
        self._own = own
        self._selection = selection
        self._jobs = jobs
        self._nice = nice
        self._workers = KeptWorkers()
        self.target = self._target()

    def _target(self) -> Target:
        return live_target(exclude=[self._own], selection=self._selection)

    @property
    def view(self) -> RootView:
        """The whole host."""
        view = self.target.view
        assert isinstance(view, RootView)  # made by this class
        return view

    def refresh(self, *, packages: bool) -> None:
        """See mounts as they are now, and with `packages` the package databases too."""
        self._workers.close()
        before = self.target
        self.target = self._target()
        if not packages:
            self.target = replace(self.target, ownership=before.ownership)

    def renew(self, watchers: Sequence[ContentCollector], selection: Selection | None, jobs: int) -> None:
        """Look with other collectors, at other entries, with other workers from here on."""
        self._watchers, self._selection, self._jobs = watchers, selection, jobs
        self.refresh(packages=False)

    def leaves_out(self, path: bytes) -> bool:
        """Whether the user's choice leaves an entry out."""
        if self._selection is None:
            return False
        parts = path.split(b"/")
        return any(self._selection.leaves_out(b"/".join(parts[: n + 1])) for n in range(1, len(parts)))

    def has_missed(self, facts: Facts) -> bool:
        """Whether an entry is a file that should have been read and was not."""
        return _is_unread(facts) and facts.size <= self.target.limits.max_file_size

    def look(self, paths: Iterable[bytes], wanted: Wanted) -> Seen:
        """Return what stands at `paths`, with the content of what is `wanted`; not what went before that was read."""
        seen = Seen()
        current: list[bytes] = [b""]

        def sink(row: Row) -> None:
            if isinstance(row, File):
                current[0] = row.path_raw if row.path_raw is not None else path_bytes(row.path)
            seen.rows[current[0]].append(row)

        view, before = PathsView(self.view, paths, wanted, seen), self._workers.pool
        collect(
            replace(self.target, view=view), sink, seen.coverage, collectors=self._collectors, watchers=self._watchers,
            jobs=max(1, self._jobs), nice=self._nice, workers=self._workers,
        )  # fmt: skip
        if self._workers.pool is not before:
            gc.freeze()  # what workers share with us stays shared
        self._forget_gone(seen)
        return seen

    def _forget_gone(self, seen: Seen) -> None:
        files = [(path, rows[0]) for path, rows in seen.rows.items() if isinstance(rows[0], File)]
        for path in [path for path, row in files if row.size and _is_unread(row)]:
            if self.view.entry(path) is None:
                del seen.rows[path], seen.entries[path]

    def close(self) -> None:
        """End the workers; the next look starts new ones."""
        self._workers.close()


def _is_unread(known: File | Facts) -> bool:
    return known.kind == "file" and known.sha256 is None
