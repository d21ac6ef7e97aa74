"""fanotify with marks on whole file systems: every change in them, in any mount namespace, and which process made it.

Events name the folder by a file handle and the entry by its name; the folder's path is looked up once and remembered
until a folder is renamed. Format: fanotify(7).
"""

from __future__ import annotations

import os
import struct
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice

from hinomi.watch.live import syscalls as sc
from hinomi.watch.live.events import (
    ATTRIBUTES,
    CONTENT,
    CREATED,
    EXECUTED,
    FOLDER,
    MOVED,
    REMOVED,
    FileEvent,
    Loss,
    Marked,
)
from hinomi.watch.live.mounts import Mount, in_scope, is_below, read_mounts, whole_first

READ_SIZE = 128 << 10
MAX_FOLDERS = 50_000  # remembered paths
MAX_OWN_FOLDERS = 5_000
_HEAD = struct.Struct("=IBBHQii")
_INFO = struct.Struct("=BBH")
_DFID_NAME, _DFID, _PIDFD, _OLD, _NEW = 2, 3, 4, 10, 12
_NO_PIDFD_MADE = -2  # -1: the process has ended
_BITS = (
    (sc.FAN_MODIFY | sc.FAN_CLOSE_WRITE, CONTENT),
    (sc.FAN_ATTRIB, ATTRIBUTES),
    (sc.FAN_CREATE, CREATED),
    (sc.FAN_DELETE, REMOVED),
    (sc.FAN_MOVED_FROM | sc.FAN_MOVED_TO | sc.FAN_RENAME, MOVED),
    (sc.FAN_OPEN_EXEC, EXECUTED),
    (sc.FAN_ONDIR, FOLDER),
)
BASE = sc.FAN_CLOEXEC | sc.FAN_NONBLOCK | sc.FAN_REPORT_DIR_FID | sc.FAN_REPORT_NAME | sc.FAN_UNLIMITED_MARKS
CHANGES = (
    sc.FAN_MODIFY | sc.FAN_CLOSE_WRITE | sc.FAN_ATTRIB | sc.FAN_CREATE | sc.FAN_DELETE | sc.FAN_OPEN_EXEC | sc.FAN_ONDIR
)
_IN_FOLDER = sc.FAN_EVENT_ON_CHILD | sc.FAN_MOVED_FROM | sc.FAN_MOVED_TO
_UNKNOWN = (b"", False)


def open_group(*, unlimited: bool) -> tuple[int, bool]:
    """Return (fanotify group, whether it tells processes by pidfd); `OSError` where nothing of the kind is allowed."""
    queue = sc.FAN_UNLIMITED_QUEUE if unlimited else 0
    try:
        return sc.fanotify_init(BASE | queue | sc.FAN_REPORT_PIDFD), True
    except OSError:
        return sc.fanotify_init(BASE | queue), False


class FanotifyBackend:
    """Listens to the file systems that hold `scopes` (implements `Backend`)."""

    name = "fanotify"

    def __init__(
        self,
        scopes: Sequence[bytes],
        leaves_out: Callable[[str], bool],
        *,
        own: Sequence[bytes] = (),
        unlimited: bool = True,
        mounts: Callable[[], list[Mount]] = read_mounts,
    ) -> None:
        """Open the group; `OSError` where the kernel or our rights do not allow it. Nothing is marked yet.

        `own` are folders to listen to one by one where they lie outside the scopes: the watcher's own files.
        """
        self._scopes = tuple(scopes)
        self._own = tuple(f for f in own if not any(is_below(f, scope) for scope in scopes))
        self._leaves_out = leaves_out
        self._mounts = mounts
        self._group, self.pidfds = open_group(unlimited=unlimited)
        self._roots: dict[bytes, int] = {}  # file system's identity -> descriptor of a mount of it
        self._folders: OrderedDict[bytes, tuple[bytes, bool]] = OrderedDict()
        self._marked: dict[str, Marked] = {}  # by device
        self._program_devices: set[str] = set()

    def fileno(self) -> int:
        """Return the group."""
        return self._group

    # --- marks ----------------------------------------------------------------------------------------------------

    def mark(self) -> list[Marked]:
        """Mark each file system once; what cannot be marked says why."""
        mounts = self._mounts()
        taken, _ = in_scope(mounts, self._scopes, self._leaves_out)
        kept = {}
        for mount in whole_first(taken):
            known = self._marked.get(mount.device)
            kept[mount.device] = known if known is not None and known.ok else self._mark(mount, CHANGES)
        self._marked = kept
        self._mark_programs([m for m in mounts if m.device not in kept])
        for folder in self._own:
            self._mark_folders(folder)
        self._folders.clear()
        return list(kept.values())

    def _mark_folders(self, top: bytes) -> None:
        """Mark a folder and those in it, each by itself."""
        for folder, _, _ in islice(os.walk(top), MAX_OWN_FOLDERS):
            with suppress(OSError):
                sc.fanotify_mark(self._group, sc.FAN_MARK_ADD, CHANGES & ~sc.FAN_OPEN_EXEC | _IN_FOLDER, folder)

    def _mark_programs(self, mounts: list[Mount]) -> None:
        """Hear of programs run from everywhere else, so that short-lived processes have a name."""
        whole = whole_first(mount for mount in mounts if not self._leaves_out(mount.kind))
        for mount in whole:
            if mount.device not in self._program_devices:
                self._mark(mount, sc.FAN_OPEN_EXEC)
        self._program_devices = {mount.device for mount in whole}

    def _mark(self, mount: Mount, mask: int) -> Marked:
        place = os.fsdecode(mount.point)
        try:
            descriptor = os.open(mount.point, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            return Marked(place, mount.kind, False, error.strerror or "cannot be opened")
        try:
            self._add_marks(mount.point, mask)
            identity = sc.file_system_identity(descriptor)
        except OSError as error:
            os.close(descriptor)
            return Marked(place, mount.kind, False, error.strerror or "cannot be marked")
        old = self._roots.pop(identity, None)
        if old is not None:
            os.close(old)
        self._roots[identity] = descriptor
        return Marked(place, mount.kind, True)

    def _add_marks(self, point: bytes, mask: int) -> None:
        flags = sc.FAN_MARK_ADD | sc.FAN_MARK_FILESYSTEM
        if mask == sc.FAN_OPEN_EXEC:
            sc.fanotify_mark(self._group, flags, mask, point)
            return
        try:
            sc.fanotify_mark(self._group, flags, mask | sc.FAN_RENAME, point)
        except OSError:  # before Linux 5.17
            sc.fanotify_mark(self._group, flags, mask | sc.FAN_MOVED_FROM | sc.FAN_MOVED_TO, point)

    # --- events ---------------------------------------------------------------------------------------------------

    def read(self) -> tuple[list[FileEvent], list[Loss]]:
        """Return what one read gives."""
        try:
            data = os.read(self._group, READ_SIZE)
        except BlockingIOError:
            return [], []
        events: list[FileEvent] = []
        losses: list[Loss] = []
        at, end = 0, len(data)
        while at + _HEAD.size <= end:
            length, _, _, head, mask, _, pid = _HEAD.unpack_from(data, at)
            if length < head or at + length > end:
                break
            if mask & sc.FAN_Q_OVERFLOW:
                losses += [Loss("queue-overflow", scope) for scope in self._scopes]
            else:
                self._take(data, at + head, at + length, mask, pid, events, losses)
            at += length
        return events, losses

    def _take(
        self, data: bytes, at: int, end: int, mask: int, pid: int, events: list[FileEvent], losses: list[Loss]
    ) -> None:
        """Turn one event into what it says of each place it names (a rename names two)."""
        alive, places = _records(data, at, end)
        what = _what(mask)
        for key, name in places:
            folder, wanted = self._folder(key)
            if folder:
                path = _joined(folder, name)
                if wanted or what == EXECUTED or self._in_scope(path):
                    events.append(FileEvent(path, what, pid, alive))
                if what & FOLDER and what & CREATED and any(is_below(path, own) for own in self._own):
                    self._mark_folders(path)
            elif what != EXECUTED:
                losses.append(Loss("vanished-folder", name))
        if what & FOLDER and what & (MOVED | REMOVED):
            self._folders.clear()  # paths below it are others now

    def _folder(self, key: bytes) -> tuple[bytes, bool]:
        """Return (path of a folder, whether all in it is in scope); an empty path where it is gone."""
        known = self._folders.get(key)
        if known is None:
            known = self._looked_up(key)
            if known[0]:
                self._folders[key] = known
                if len(self._folders) > MAX_FOLDERS:
                    self._folders.popitem(last=False)
        return known

    def _looked_up(self, key: bytes) -> tuple[bytes, bool]:
        root = self._roots.get(key[:8])
        if root is None:
            return _UNKNOWN
        try:
            descriptor = sc.open_by_handle(root, key[12:])
        except OSError:
            return _UNKNOWN
        try:
            path = os.readlink(b"/proc/self/fd/%d" % descriptor)
        except OSError:
            return _UNKNOWN
        finally:
            os.close(descriptor)
        if not path.startswith(b"/") or path.endswith(b" (deleted)"):
            return _UNKNOWN
        return path, self._in_scope(path)

    def _in_scope(self, path: bytes) -> bool:
        return any(is_below(path, scope) for scope in (*self._scopes, *self._own))

    def close(self) -> None:
        """Give everything back."""
        for descriptor in self._roots.values():
            os.close(descriptor)
        self._roots.clear()
        os.close(self._group)


def _records(data: bytes, at: int, end: int) -> tuple[bool | None, list[tuple[bytes, bytes]]]:
    """Return (whether the process still runs, places) of an event, and give its pidfd back."""
    alive: bool | None = None
    places: list[tuple[bytes, bytes]] = []
    while at + 4 <= end:
        kind, _, size = _INFO.unpack_from(data, at)
        if size < 4:
            break
        if kind == _PIDFD:
            descriptor = int.from_bytes(data[at + 4 : at + 8], "little", signed=True)
            alive = descriptor >= 0 if descriptor != _NO_PIDFD_MADE else None
            if descriptor >= 0:
                os.close(descriptor)
        elif kind in (_DFID_NAME, _DFID, _OLD, _NEW):
            places.append(_place(data, at, size))
        at += size
    return alive, places


def _place(data: bytes, at: int, size: int) -> tuple[bytes, bytes]:
    """Return (file system and handle, name) of a record. The handle's length stands before its type."""
    length = int.from_bytes(data[at + 12 : at + 16], "little")
    end = at + 20 + length
    name = data[end : at + size].split(b"\0", 1)[0]
    return data[at + 4 : end], name


def _what(mask: int) -> int:
    what = 0
    for bits, meaning in _BITS:
        if mask & bits:
            what |= meaning
    return what


def _joined(folder: bytes, name: bytes) -> bytes:
    if name in (b"", b"."):
        return folder
    return b"/" + name if folder == b"/" else folder + b"/" + name
