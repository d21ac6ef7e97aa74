"""The walk: every entry of a target becomes a row of `files`, every regular file is opened once and read once.

That one reading feeds the digest, the type and every content collector. Small files cost more interpreter than
hashing, so the walking thread reads them itself; larger ones go to threads (hashing, reading and byte scanning release
the interpreter's lock). Rows come back in walk order, whoever was first.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event
from typing import NamedTuple

from hinomi.evidence.collector import ContentCollector
from hinomi.evidence.content import Content, FileChangedError, FileTooLargeError
from hinomi.evidence.folders import Folder, Handle, folders_of, miss_os_error
from hinomi.evidence.names import Names, names_of
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import HinomiError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.files import File
from hinomi.model.text import path_text, printable

Progress = Callable[[int, int, str], None]

HEAVY = 512 << 10  # bytes from which a file's digest alone is worth a thread
HEAVY_EXAMINED = 96 << 10  # the same where collectors look at the content too
UNDER_WAY = 16  # files handed to each thread in advance; beyond, the walking thread does the work itself
MAX_WAITING = 10_000  # entries whose rows wait for one before them
PROGRESS_STEP = 256
MAX_LINKED = 100_000  # hard-linked files remembered at once; beyond, one is read again
CAPABILITY = "security.capability"


@dataclass(slots=True)
class Examined:
    """What one entry gave."""

    file: File
    rows: list[Row] = field(default_factory=list)
    size: int = 0  # bytes read
    digest_kind: str | None = None
    digest: str | None = None


class _Waiting(NamedTuple):
    """An entry whose rows are due in order: done, under way in a thread, or a hard link of one before it."""

    folder: Folder
    entry: Entry
    done: tuple[Examined, Coverage | None] | None
    future: Future[tuple[Examined, Coverage | None]] | None


@dataclass(slots=True)
class _Twin:
    """A hard-linked file whose result waits for its other names."""

    waiting: int
    result: Examined | None = None


class Examiner:
    """Turns entries into rows; used from several threads, its only state is whether to stop."""

    def __init__(self, target: Target, collectors: Sequence[ContentCollector]) -> None:
        """Read the target's account names; the rest is asked per entry."""
        self._target = target
        self._collectors = tuple(collectors)
        self._names: Names = names_of(target.view)
        self._stopping = Event()

    def stop(self) -> None:
        """Start no further collector: the walk was interrupted and its rows go nowhere."""
        self._stopping.set()

    def examine(self, folder: Folder, entry: Entry, coverage: Coverage) -> Examined:
        """Return the entry's rows. A file that cannot be read keeps its attributes and is a miss."""
        if entry.kind != "file":
            if entry.kind not in ("directory", "symlink"):
                coverage.skip(entry.kind)
            return Examined(self._row(entry, None, {}, None))
        if entry.size > self._target.limits.max_file_size:
            coverage.miss("files", _shown(entry.path), "too-large", str(entry.size))
            return Examined(self._row(entry, None, {}, None))
        try:
            handle = folder.open(entry)
        except OSError as error:
            miss_os_error(coverage, "files", entry.path, error)
            return Examined(self._row(entry, None, {}, None))
        try:
            return self._read(entry, handle, coverage)
        finally:
            handle.close()

    def _read(self, entry: Entry, handle: Handle, coverage: Coverage) -> Examined:
        kind = self._target.ownership.digest_kind(entry.path)
        try:
            content = Content(entry, handle, kind, self._target.limits.max_file_size)
            xattrs = handle.xattrs()
        except OSError as error:
            _miss_content(coverage, entry.path, error)
            return Examined(self._row(entry, None, {}, None))
        coverage.examined["files"] += 1
        coverage.examined["bytes"] += content.size
        rows = [row for collector in self._collectors for row in self._collect(collector, content, coverage)]
        return Examined(self._row(entry, content, xattrs, content.digest), rows, content.size, kind, content.digest)

    def _collect(self, collector: ContentCollector, content: Content, coverage: Coverage) -> list[Row]:
        """Run one collector on one file: whatever goes wrong in it costs this file's rows of this collector only."""
        rows: list[Row] = []
        try:
            if not self._stopping.is_set() and collector.wants(content.entry, content.head):
                for row in collector.examine(content, self._target, coverage):
                    rows.append(row)
                    if self._stopping.is_set():
                        break
        except Exception as error:  # noqa: BLE001 - the border of one collector
            miss_crash(coverage, collector.name, _shown(content.entry.path), error)
        return rows

    def _row(self, entry: Entry, content: Content | None, xattrs: dict[str, bytes], digest: str | None) -> File:
        ownership = self._target.ownership
        path = entry.path
        unread = entry.kind == "file" and content is None
        text = path_text(path)
        capability = xattrs.get(CAPABILITY) if xattrs else None
        return File(
            path=text,
            path_raw=None if text.isascii() or _is_utf8(path) else path,
            kind=entry.kind,
            size=entry.size,
            mode=entry.mode,
            uid=entry.uid,
            gid=entry.gid,
            owner=self._names.users.get(entry.uid),
            group=self._names.groups.get(entry.gid),
            inode=entry.inode,
            links=entry.links,
            mtime=entry.mtime,
            ctime=entry.ctime,
            btime=entry.btime,
            link_target=None if entry.link_target is None else path_text(entry.link_target),
            sha256=content.sha256 if content else None,
            content_type=content.content_type if content else None,
            xattrs=sorted(xattrs),
            capabilities=capability.hex() if capability else None,
            package=ownership.package_of(path),
            package_state=_unread_state(ownership.state(path, None)) if unread else ownership.state(path, digest),
        )

    def twin(self, entry: Entry, first: Examined) -> Examined | None:
        """Return what another name of the same file gives; None where it must be read again for its own digest."""
        kind = self._target.ownership.digest_kind(entry.path)
        if first.file.sha256 is None or (kind not in (None, "sha256") and kind != first.digest_kind):
            return None
        digest = first.file.sha256 if kind in (None, "sha256") else first.digest
        old, new = first.file.path, path_text(entry.path)
        ownership = self._target.ownership
        file = replace(
            first.file,
            path=new,
            path_raw=None if _is_utf8(entry.path) else entry.path,
            package=ownership.package_of(entry.path),
            package_state=ownership.state(entry.path, digest),
        )
        return Examined(file, [_renamed(row, old, new) for row in first.rows])


class Pipeline:
    """Walks a target and hands every row to `sink` from the calling thread, in walk order."""

    def __init__(
        self,
        target: Target,
        sink: Callable[[Row], None],
        coverage: Coverage,
        collectors: Sequence[ContentCollector],
        *,
        progress: Progress | None = None,
        jobs: int | None = None,
    ) -> None:
        """Prepare; nothing is read but the target's account names."""
        self._target = target
        self._sink = sink
        self._coverage = coverage
        self._examiner = Examiner(target, collectors)
        self._progress = progress
        self._jobs = jobs or usable_cores()
        self._twins: dict[tuple[int, int], _Twin] = {}
        self._waiting: deque[_Waiting] = deque()
        self._heavy = HEAVY_EXAMINED if collectors else HEAVY
        self._spare = Coverage()
        self._under_way = 0
        self._most_under_way = UNDER_WAY * (self._jobs - 1)
        self._files = 0
        self._bytes = 0

    def run(self) -> None:
        """Walk the whole target."""
        with ThreadPoolExecutor(max(1, self._jobs - 1), "hinomi-read") as pool:
            try:
                for folder in folders_of(self._target.view, self._coverage):
                    try:
                        for entry in folder.entries:
                            self._start(folder, entry, pool)
                    finally:
                        folder.release()
                self._emit_until(0)
            except BaseException:
                self._abandon(pool)
                raise
        self._tell_progress(b"/")

    def _abandon(self, pool: ThreadPoolExecutor) -> None:
        """Give back what is held when the sink or an interrupt ends the walk."""
        self._examiner.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        while self._waiting:
            waiting = self._waiting.popleft()
            if waiting.done is None:
                waiting.folder.release()

    def _start(self, folder: Folder, entry: Entry, pool: ThreadPoolExecutor) -> None:
        """Examine an entry here, or in a thread where it is worth one and one is free."""
        done = future = None
        if entry.kind == "file" and entry.links > 1 and self._is_twin(entry):
            folder.retain()
        elif entry.kind == "file" and entry.size > self._heavy and self._under_way < self._most_under_way:
            folder.retain()
            self._under_way += 1
            future = pool.submit(self._examine, folder, entry)
        elif not self._waiting:
            self._emit(entry, self._examiner.examine(folder, entry, self._coverage))
            return
        else:
            done = self._examine_here(folder, entry)
        self._waiting.append(_Waiting(folder, entry, done, future))
        if len(self._waiting) >= MAX_WAITING:
            self._emit_until(MAX_WAITING // 2)
        else:
            self._emit_ready()

    def _examine(self, folder: Folder, entry: Entry) -> tuple[Examined, Coverage | None]:
        coverage = Coverage()  # not shared: counters are not safe between threads, and misses keep their order
        return self._examiner.examine(folder, entry, coverage), coverage

    def _examine_here(self, folder: Folder, entry: Entry) -> tuple[Examined, Coverage | None]:
        """Examine in the walking thread before it is due; counts need no order, misses wait with their rows."""
        own = self._spare
        examined = self._examiner.examine(folder, entry, own)
        if own.misses:
            self._spare = Coverage()
            return examined, own
        for counts, total in ((own.examined, self._coverage.examined), (own.skipped, self._coverage.skipped)):
            for kind, number in counts.items():
                total[kind] += number
            counts.clear()
        return examined, None

    def _emit_ready(self) -> None:
        """Hand over what is due and done."""
        while self._waiting and (self._waiting[0].future is None or self._waiting[0].future.done()):
            self._emit_first()

    def _emit_until(self, left: int) -> None:
        """Hand over what is due, waiting for it, until only `left` entries wait."""
        while len(self._waiting) > left:
            self._emit_first()

    def _emit_first(self) -> None:
        folder, entry, done, future = self._waiting.popleft()
        held = done is None
        try:
            if future is not None:
                self._under_way -= 1
                done = future.result()
            if done is not None:
                if done[1] is not None:
                    self._coverage.merge(done[1])
                self._emit(entry, done[0])
            else:
                self._emit(entry, self._twin(folder, entry))
        finally:
            if held:
                folder.release()

    def _emit(self, entry: Entry, examined: Examined) -> None:
        if entry.links > 1 and entry.kind == "file":
            self._remember(entry, examined)
        self._sink(examined.file)
        for row in examined.rows:
            self._sink(row)
        self._bytes += examined.size
        self._files += 1
        if self._files % PROGRESS_STEP == 0:
            self._tell_progress(entry.path)

    def _tell_progress(self, path: bytes) -> None:
        if self._progress is not None:
            self._progress(self._files, self._bytes, _shown(path))

    def _is_twin(self, entry: Entry) -> bool:
        key = entry.device, entry.inode
        if key in self._twins:
            return True
        if len(self._twins) < MAX_LINKED:
            self._twins[key] = _Twin(entry.links - 1)
        return False

    def _remember(self, entry: Entry, result: Examined) -> None:
        twin = self._twins.get((entry.device, entry.inode))
        if twin is not None and twin.result is None:
            twin.result = result

    def _twin(self, folder: Folder, entry: Entry) -> Examined:
        key = entry.device, entry.inode
        twin = self._twins.get(key)
        result = None
        if twin is not None and twin.result is not None:
            result = self._examiner.twin(entry, twin.result)
            twin.waiting -= 1
            if twin.waiting <= 0:
                del self._twins[key]
        if result is None:
            return self._examiner.examine(folder, entry, self._coverage)
        self._coverage.count("hard-links")
        return result


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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


def _miss_content(coverage: Coverage, path: bytes, error: OSError) -> None:
    if isinstance(error, FileTooLargeError):
        coverage.miss("files", _shown(path), "too-large", str(error))
    elif isinstance(error, FileChangedError):
        coverage.miss("files", _shown(path), "changed", str(error), transient=True)
    else:
        miss_os_error(coverage, "files", path, error)


def _unread_state(state: str | None) -> str | None:
    """An unread file is unowned or unknown, never intact."""
    return state if state == "unowned" else None


def _renamed(row: Row, old: str, new: str) -> Row:
    """Return the row of a hard link: its paths begin with the other name."""
    changed = {
        name: new + value[len(old) :]
        for name in ("path", "container")
        if isinstance(value := getattr(row, name, None), str) and value.startswith(old)
    }
    return replace(row, **changed)  # type: ignore[type-var]


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _shown(path: bytes) -> str:
    return printable(path_text(path))
