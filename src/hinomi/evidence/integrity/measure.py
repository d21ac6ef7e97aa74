"""The walk that a baseline is made from: each entry's attributes, each regular file's digest, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hinomi.evidence.content import FileChangedError
from hinomi.evidence.folders import DescriptorView, Folder, Handle, folders_of, miss_os_error
from hinomi.evidence.integrity.ahead import Answer, ReadAhead
from hinomi.evidence.integrity.live import CHUNK, LiveReader
from hinomi.evidence.integrity.measured import KeepText, Measured, Seen, measured
from hinomi.evidence.native import compiled
from hinomi.evidence.sources.descriptors import OpenFolder
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage
from hinomi.model.text import path_text, printable

MAX_TEXT = 32 << 10  # bytes of a text whose content is kept
PROGRESS_STEP = 1024
Progress = Callable[[int, int, str], None]
See = Callable[[Entry, bytes], None]
NOTHING = Seen()


def keep_none(path: bytes, mode: int, content: bytes) -> bool:
    """Keep no content."""
    return False


def measure(
    target: Target,
    coverage: Coverage,
    *,
    keep_text: KeepText = keep_none,
    progress: Progress | None = None,
    see: See | None = None,
) -> Iterator[Measured]:
    """Yield every entry of a target in walk order; what cannot be read is a miss, its digest None.

    Hard links of one file are read once. `progress` is called with (entries, bytes read, path), `see` with each
    regular file of an image and its first bytes.
    """
    measurer = Measurer(target, coverage, keep_text, see)
    done = 0
    for folder, answers in measurer.folders():
        for entry, answer in zip(folder.entries, answers, strict=True):
            yield measurer.measure(folder, entry, answer)
        done += len(folder.entries)
        if progress is not None and done % PROGRESS_STEP < len(folder.entries):
            progress(done, measurer.bytes_read, shown(folder.entries[0].path) if folder.entries else "")
    coverage.count("entries", done)
    coverage.count("files", measurer.files)
    coverage.count("bytes", measurer.bytes_read)


class Measurer:
    """Measures single entries of one target."""

    def __init__(
        self, target: Target, coverage: Coverage, keep_text: KeepText = keep_none, see: See | None = None
    ) -> None:
        self._see = see
        self._target = target
        self._limit = target.limits.max_file_size
        self._coverage = coverage
        self._keep_text = keep_text
        self._live = LiveReader(self._limit, MAX_TEXT)
        self._linked: dict[tuple[int, int, int], tuple[bytes, bytes | None]] = {}
        self.files = 0
        self.bytes_read = 0

    def folders(self) -> Iterator[tuple[Folder, Sequence[Answer]]]:
        """Yield every folder of the target, open, with what was read ahead of its entries."""
        view = self._target.view
        core = compiled("digests")
        folders = folders_of(view, self._coverage)
        if core is not None and isinstance(view, DescriptorView) and view.by_descriptor:
            yield from ReadAhead(core, self._ahead, self._limit, MAX_TEXT).folders(folders)
            return
        for folder in folders:
            try:
                yield folder, [None] * len(folder.entries)
            finally:
                folder.release()

    def _ahead(self, entry: Entry) -> bool:
        return entry.kind == "file" and entry.links == 1 and entry.size <= self._limit

    def measure(self, folder: Folder, entry: Entry, answer: Answer = None) -> Measured:
        """Return an entry as it is now; `answer` is what was read of it ahead, asked again where that went wrong."""
        if answer is not None and answer[0] == 0:
            return measured(entry, self._of_answer(entry, answer))
        try:
            if isinstance(folder, OpenFolder):
                return measured(entry, self._of_live(folder, entry))
            return measured(entry, self._of_image(folder, entry))
        except FileChangedError as error:
            self._coverage.miss("baseline", shown(entry.path), "changed", str(error), transient=True)
        except OSError as error:
            miss_os_error(self._coverage, "baseline", entry.path, error)
        return measured(entry, NOTHING)

    def _of_answer(self, entry: Entry, answer: tuple[Any, ...]) -> Seen:
        _, size, sha256, _, head, xattrs, flags = answer
        self.files += 1
        self.bytes_read += entry.size
        return Seen(sha256, xattrs or {}, flags, self._text(entry, head) if len(head) == size else None)

    def _of_live(self, folder: OpenFolder, entry: Entry) -> Seen:
        if entry.kind != "file":
            return self._live.other(folder, entry)
        key = (entry.device, entry.inode, entry.ctime_ns or 0) if entry.links > 1 else None
        known = self._linked.get(key) if key is not None else None
        if known is None and entry.size > self._limit:
            self._coverage.miss("baseline", shown(entry.path), "too-large", str(entry.size))
            return NOTHING
        seen, content = self._live.file(folder, entry, None if known is None else known[0])
        self.files += 1
        if known is not None:
            return seen._replace(text=known[1])
        self.bytes_read += entry.size
        text = self._text(entry, content)
        if key is not None and seen.sha256 is not None:
            self._linked[key] = seen.sha256, text
        return seen if text is None else seen._replace(text=text)

    def _text(self, entry: Entry, content: bytes | None) -> bytes | None:
        if not content or len(content) > MAX_TEXT or not self._keep_text(entry.path, entry.mode, content):
            return None
        return content

    def _of_image(self, folder: Folder, entry: Entry) -> Seen:
        if entry.kind != "file":
            return NOTHING
        if entry.size > self._limit:
            self._coverage.miss("baseline", shown(entry.path), "too-large", str(entry.size))
            return NOTHING
        handle = folder.open(entry)
        try:
            digest, head = _digest(handle, self._limit)
            if self._see is not None:
                self._see(entry, head)
            content = head if len(head) == entry.size else None
            self.files += 1
            self.bytes_read += entry.size
            return Seen(digest, handle.xattrs(), text=self._text(entry, content))
        finally:
            handle.close()


def _digest(handle: Handle, limit: int) -> tuple[bytes, bytes]:
    """Return a file's SHA-256 and its beginning: all of it where it is small."""
    made = hashlib.sha256()
    head, total = b"", 0
    while data := handle.read(CHUNK):
        total += len(data)
        if total > limit:
            raise OSError("larger than the limit")
        made.update(data)
        if len(head) <= MAX_TEXT:
            head += data[: MAX_TEXT + 1]
    return made.digest(), head


def shown(path: bytes) -> str:
    """Return a path as messages show it."""
    return printable(path_text(path))
