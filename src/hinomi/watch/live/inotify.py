"""inotify on every folder in scope: where fanotify is not allowed. It does not tell who, and watches are limited."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable, Sequence

from hinomi.watch.live import syscalls as sc
from hinomi.watch.live.events import (
    ATTRIBUTES,
    CONTENT,
    CREATED,
    FOLDER,
    MOVED,
    REMOVED,
    FileEvent,
    Loss,
    Marked,
)
from hinomi.watch.live.mounts import Mount, in_scope, read_mounts

READ_SIZE = 64 << 10
_HEAD = struct.Struct("=iIII")
_MASK = (
    sc.IN_MODIFY | sc.IN_CLOSE_WRITE | sc.IN_ATTRIB | sc.IN_CREATE | sc.IN_DELETE | sc.IN_MOVED_FROM | sc.IN_MOVED_TO
    | sc.IN_ONLYDIR | sc.IN_DONT_FOLLOW | sc.IN_EXCL_UNLINK
)  # fmt: skip
_BITS = (
    (sc.IN_MODIFY | sc.IN_CLOSE_WRITE, CONTENT),
    (sc.IN_ATTRIB, ATTRIBUTES),
    (sc.IN_CREATE, CREATED),
    (sc.IN_DELETE, REMOVED),
    (sc.IN_MOVED_FROM | sc.IN_MOVED_TO, MOVED),
    (sc.IN_ISDIR, FOLDER),
)


class InotifyBackend:
    """Watches every folder below `scopes` (implements `Backend`)."""

    name = "inotify"

    def __init__(
        self,
        scopes: Sequence[bytes],
        leaves_out: Callable[[str], bool],
        *,
        mounts: Callable[[], list[Mount]] = read_mounts,
    ) -> None:
        """Open the instance; nothing is watched yet."""
        self._scopes = tuple(scopes)
        self._leaves_out = leaves_out
        self._mounts = mounts
        self._instance = sc.inotify_init()
        self._paths: dict[int, bytes] = {}
        self._refused = 0

    def fileno(self) -> int:
        """Return the instance."""
        return self._instance

    def patience(self) -> None:
        """Nothing is said later than it is reported."""

    def mark(self) -> list[Marked]:
        """Watch every folder; how many could not be is said once a scope."""
        _, out = in_scope(self._mounts(), self._scopes, self._leaves_out)
        self._left = {mount.point for mount in out}
        marked = []
        for scope in self._scopes:
            self._refused = 0
            cause = self._watch_tree(scope)
            place = os.fsdecode(scope)
            if self._refused:
                cause = f"{cause} ({self._refused} folders)"
            marked.append(Marked(place, "folders", not self._refused, cause))
        return marked

    def _watch_tree(self, top: bytes) -> str:
        """Watch a folder and all in it; return the last reason for a refusal."""
        cause = ""
        todo = [top]
        while todo:
            folder = todo.pop()
            if folder in self._left:
                continue
            try:
                self._paths[sc.inotify_add_watch(self._instance, folder, _MASK)] = folder
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    self._refused += 1
                    cause = "fs.inotify.max_user_watches is reached" if error.errno == errno.ENOSPC else str(error)
                continue
            todo += _folders(folder)
        return cause

    def read(self) -> tuple[list[FileEvent], list[Loss]]:
        """Return what one read gives. A new folder is watched at once; what was in it by then is a loss to look up."""
        try:
            data = os.read(self._instance, READ_SIZE)
        except BlockingIOError:
            return [], []
        events: list[FileEvent] = []
        losses: list[Loss] = []
        at = 0
        while at + _HEAD.size <= len(data):
            number, mask, _, length = _HEAD.unpack_from(data, at)
            name = data[at + _HEAD.size : at + _HEAD.size + length].split(b"\0", 1)[0]
            at += _HEAD.size + length
            if mask & sc.IN_Q_OVERFLOW:
                losses += [Loss("queue-overflow", scope) for scope in self._scopes]
            elif mask & sc.IN_IGNORED:
                self._paths.pop(number, None)
            else:
                self._take(number, mask, name, events, losses)
        return events, losses

    def _take(self, number: int, mask: int, name: bytes, events: list[FileEvent], losses: list[Loss]) -> None:
        folder = self._paths.get(number)
        if folder is None:
            return
        path = folder if not name else (b"/" if folder == b"/" else folder + b"/") + name
        what = 0
        for bits, meaning in _BITS:
            if mask & bits:
                what |= meaning
        events.append(FileEvent(path, what))
        if what & FOLDER and name and mask & (sc.IN_CREATE | sc.IN_MOVED_TO):
            self._refused = 0
            cause = self._watch_tree(path)
            losses.append(Loss("new-folder", path))
            if cause:
                losses.append(Loss("watch-limit", path, self._refused))

    def close(self) -> None:
        """Stop listening."""
        os.close(self._instance)


def _folders(folder: bytes) -> list[bytes]:
    try:
        with os.scandir(folder) as listing:
            return [entry.path for entry in listing if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


class PollingBackend:
    """Nothing to listen to: changes are found by looking again from time to time (implements `Backend`)."""

    name = "polling"

    def __init__(self, scopes: Sequence[bytes]) -> None:
        self._scopes = tuple(scopes)

    def fileno(self) -> int:
        """There is none."""
        return -1

    def read(self) -> tuple[list[FileEvent], list[Loss]]:
        """Nothing is ever reported."""
        return [], []

    def patience(self) -> None:
        """Nothing is said later than it is reported."""

    def mark(self) -> list[Marked]:
        """Say that nothing is listened to."""
        return [Marked(os.fsdecode(scope), "folders", False, "polling only") for scope in self._scopes]

    def close(self) -> None:
        """Nothing to stop."""
