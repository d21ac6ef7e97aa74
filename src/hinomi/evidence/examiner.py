"""One file, opened once and read once: digest, type, and what every content collector says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import Event

from hinomi.evidence.acl import acl_text, label_text
from hinomi.evidence.collector import ContentCollector, Feed, FeedCollector
from hinomi.evidence.content import Content, FileChangedError, FileTooLargeError
from hinomi.evidence.folders import Folder, Handle, miss_os_error
from hinomi.evidence.reading import Reading
from hinomi.evidence.smallfiles import AT_ONCE, SmallFile, small_files
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import HinomiError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.text import path_text, printable

CAPABILITY = "security.capability"


class Examiner:
    """Reads files of one target. Its only state is whether to stop."""

    def __init__(self, target: Target, collectors: Sequence[ContentCollector]) -> None:
        """Take the target and the collectors that look at its files' content."""
        self._target = target
        self._collectors = tuple(collectors)
        self._feeding = tuple(c for c in self._collectors if isinstance(c, FeedCollector))
        self._small = small_files(target.view, target.limits.max_file_size)
        self._stopping = Event()
        self._spare = Coverage()

    def stop(self) -> None:
        """Start no further collector: the walk was interrupted and its rows go nowhere."""
        self._stopping.set()

    def read(self, folder: Folder, entry: Entry) -> Reading:
        """Read one regular file; what cannot be read is a miss in the reading's coverage."""
        coverage = self._spare
        reading = self._opened(folder, entry, coverage)
        if coverage.examined or coverage.skipped or coverage.misses:
            reading.coverage, self._spare = coverage, Coverage()
        return reading

    def _opened(self, folder: Folder, entry: Entry, coverage: Coverage) -> Reading:
        kind = self._target.ownership.digest_kind(entry.path)
        if self._small is not None and entry.size <= AT_ONCE:
            small = self._small.read(folder, entry, kind)
            if small is not None:
                return self._whole(entry, small, kind, coverage)
        try:
            handle = folder.open(entry)
        except OSError as error:
            miss_os_error(coverage, "files", entry.path, error)
            return Reading()
        try:
            return self._read(entry, handle, kind, coverage)
        finally:
            handle.close()

    def _whole(self, entry: Entry, small: SmallFile, kind: str | None, coverage: Coverage) -> Reading:
        content = Content.of(entry, small.data, small.sha256, small.digest)
        return self._examined(content, small.xattrs, kind, {}, coverage)

    def _read(self, entry: Entry, handle: Handle, kind: str | None, coverage: Coverage) -> Reading:
        feeds: dict[str, _Fed] = {}

        def begin(head: bytes) -> Iterable[_Fed]:
            feeds.clear()
            feeds.update((c.name, _Fed(c, entry, head)) for c in self._feeding)
            return feeds.values()

        try:
            content = Content(entry, handle, kind, self._target.limits.max_file_size, begin)
            xattrs = handle.xattrs()
        except OSError as error:
            miss_content(coverage, entry.path, error)
            return Reading()
        return self._examined(content, xattrs, kind, feeds, coverage)

    def _examined(
        self,
        content: Content,
        xattrs: Mapping[str, bytes],
        kind: str | None,
        feeds: Mapping[str, _Fed],
        coverage: Coverage,
    ) -> Reading:
        rows: list[Row] = []
        for collector in self._due(content):
            rows += self._collect(collector, content, feeds.get(collector.name), coverage)
        reading = Reading(content.size, content.sha256, content.content_type, kind, content.digest, rows=rows)
        if xattrs:
            tell_xattrs(reading, xattrs)
        return reading

    def _due(self, content: Content) -> Sequence[ContentCollector]:
        """Return the collectors that want a file, most often none; all, to be asked one by one, if one fails."""
        entry, head = content.entry, content.head
        try:
            return [collector for collector in self._collectors if collector.wants(entry, head)]
        except Exception:  # noqa: BLE001 - `_collect` is the border of one collector, and says which
            return self._collectors

    def _collect(
        self, collector: ContentCollector, content: Content, fed: _Fed | None, coverage: Coverage
    ) -> list[Row]:
        """Run one collector on one file: whatever goes wrong in it costs this file's rows of this collector only."""
        rows: list[Row] = []
        try:
            if not self._stopping.is_set() and collector.wants(content.entry, content.head):
                if fed is not None and fed.taken:
                    found = fed.finish(content, coverage)
                else:
                    found = collector.examine(content, self._target, coverage)
                for row in found:
                    rows.append(row)
                    if self._stopping.is_set():
                        break
        except Exception as error:  # noqa: BLE001 - the border of one collector
            miss_crash(coverage, collector.name, _shown(content.entry.path), error)
        return rows


class _Fed:
    """A collector's feed; its first error ends it and is raised at the end, where the border of a collector is."""

    def __init__(self, collector: FeedCollector, entry: Entry, head: bytes) -> None:
        self._error: Exception | None = None
        self._feed: Feed | None = None
        try:
            self._feed = collector.begin(entry, head)
        except Exception as error:  # noqa: BLE001 - the border of one collector
            self._error = error

    @property
    def taken(self) -> bool:
        """Whether the collector looks at this file as it is read."""
        return self._feed is not None or self._error is not None

    def feed(self, data: memoryview) -> None:
        """Hand on the next bytes."""
        if self._feed is None or self._error is not None:
            return
        try:
            self._feed.feed(data)
        except Exception as error:  # noqa: BLE001 - the border of one collector
            self._error = error

    def finish(self, content: Content, coverage: Coverage) -> Iterable[Row]:
        """Return the rows; raise what went wrong on the way."""
        if self._error is not None:
            raise self._error
        assert self._feed is not None  # `taken` was asked
        return self._feed.finish(content, coverage)


def tell_xattrs(reading: Reading, xattrs: Mapping[str, bytes]) -> None:
    """Add what a file's extended attributes say."""
    reading.xattrs = sorted(xattrs)
    capability = xattrs.get(CAPABILITY)
    reading.capabilities = capability.hex() if capability else None
    reading.acl, reading.label = acl_text(xattrs), label_text(xattrs)


def miss_crash(coverage: Coverage, area: str, subject: str, error: Exception) -> None:
    """Record what ended a collector: our own errors by their code, refusals of the system, and crashes."""
    if isinstance(error, HinomiError):
        coverage.miss(area, subject, error.code, error.cause)
    elif isinstance(error, OSError):
        coverage.miss(
            area, subject, "permission" if isinstance(error, PermissionError) else "unreadable", str(error.strerror)
        )
    else:
        coverage.miss(area, subject, "crashed", f"{type(error).__name__}: {printable(str(error))[:200]}")


def miss_content(coverage: Coverage, path: bytes, error: OSError) -> None:
    """Record why a file's content could not be read."""
    if isinstance(error, FileTooLargeError):
        coverage.miss("files", _shown(path), "too-large", str(error))
    elif isinstance(error, FileChangedError):
        coverage.miss("files", _shown(path), "changed", str(error), transient=True)
    else:
        miss_os_error(coverage, "files", path, error)


def _shown(path: bytes) -> str:
    return printable(path_text(path))
