"""Files of a live file system read ahead by threads of the compiled core, folder by folder, in the walk's order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from hinomi.evidence.folders import Folder
from hinomi.evidence.sources.descriptors import OpenFolder
from hinomi.evidence.view import Entry

GROUP_FILES = 128
GROUP_BYTES = 4 << 20
GROUP_FOLDERS = 16
THREADS = 2
GROUPS = 3 * THREADS  # read or waiting: what is held open and in memory
_STOP_AT = 16  # in the place that the core looks at

Answer = tuple[Any, ...] | None  # as the core's `read_files` gives it; None: not read ahead
Wanted = Callable[[Entry], bool]


@dataclass(slots=True)
class _Group:
    """Folders whose files are read in one call."""

    folders: list[Folder] = field(default_factory=list)
    items: list[tuple[int, Entry, int]] = field(default_factory=list)
    size: int = 0
    answers: Future[list[tuple[Any, ...]]] | None = None

    def take(self, folder: OpenFolder, wanted: Wanted) -> bool:
        """Add a folder; return whether the group is full."""
        self.folders.append(folder)
        for entry in folder.entries:
            if wanted(entry):
                self.items.append((folder.fd, entry, 0))
                self.size += entry.size
        return len(self.items) >= GROUP_FILES or self.size >= GROUP_BYTES or len(self.folders) >= GROUP_FOLDERS


class ReadAhead:
    """Yields folders with the answers for their entries. Those that are no `wanted` regular files have None."""

    def __init__(self, core: ModuleType, wanted: Wanted, limit: int, text: int) -> None:
        """Take what reads: files above `limit` bytes are refused; of those up to `text` bytes the content is given."""
        self._core = core
        self._wanted = wanted
        self._limit = limit
        self._text = text
        self._places = [bytearray(_STOP_AT + 8) for _ in range(GROUPS)]

    def folders(self, folders: Iterable[Folder]) -> Iterator[tuple[Folder, list[Answer]]]:
        """Yield each folder, still open, in order; whoever stops early leaves nothing open."""
        waiting: deque[_Group] = deque()
        pool = ThreadPoolExecutor(THREADS, "hinomi-digests")
        try:
            for group in self._groups(folders):
                waiting.append(group)
                group.answers = pool.submit(self._read, group.items, self._places[0])
                self._places.append(self._places.pop(0))
                if len(waiting) >= GROUPS:
                    yield from _answered(waiting[0])
                    waiting.popleft()
            while waiting:
                yield from _answered(waiting[0])
                waiting.popleft()
        finally:
            for place in self._places:
                place[_STOP_AT] = 1
            pool.shutdown(cancel_futures=True)
            for group in waiting:
                _release(group)

    def _groups(self, folders: Iterable[Folder]) -> Iterator[_Group]:
        group = _Group()
        try:
            for folder in folders:
                assert isinstance(folder, OpenFolder)  # asked for by the view
                if group.take(folder, self._wanted):
                    full, group = group, _Group()
                    yield full
            full, group = group, _Group()
            yield full
        finally:
            _release(group)

    def _read(self, items: list[tuple[int, Entry, int]], place: bytearray) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._core.read_files(items, place, self._limit, self._text, self._text, True)
        return found


def _answered(group: _Group) -> Iterator[tuple[Folder, list[Answer]]]:
    assert group.answers is not None  # it was given to a thread
    read = {id(entry): answer for (_, entry, _), answer in zip(group.items, group.answers.result(), strict=True)}
    while group.folders:
        folder = group.folders[0]
        yield folder, [read.get(id(entry)) for entry in folder.entries]
        group.folders.pop(0).release()


def _release(group: _Group) -> None:
    while group.folders:
        group.folders.pop().release()
