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
from hinomi.watch.live.orphans import Orphan, Orphans

READ_SIZE = 128 << 10
MAX_FOLDERS = 50_000  # remembered paths
MAX_OWN_FOLDERS = 5_000
_HEAD = struct.Struct("=IBBHQii")
_INFO = struct.Struct("=BBH")
_FID, _DFID_NAME, _DFID, _PIDFD, _OLD, _NEW = 1, 2, 3, 4, 10, 12
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
_NAMING = sc.FAN_REPORT_FID | sc.FAN_REPORT_TARGET_FID  # Linux 5.17: which folder was made or removed
BASE = sc.FAN_CLOEXEC | sc.FAN_NONBLOCK | sc.FAN_REPORT_DIR_FID | sc.FAN_REPORT_NAME | sc.FAN_UNLIMITED_MARKS
CHANGES = (
    sc.FAN_MODIFY | sc.FAN_CLOSE_WRITE | sc.FAN_ATTRIB | sc.FAN_CREATE | sc.FAN_DELETE | sc.FAN_OPEN_EXEC | sc.FAN_ONDIR
)
_IN_FOLDER = sc.FAN_EVENT_ON_CHILD | sc.FAN_MOVED_FROM | sc.FAN_MOVED_TO
_GONE = (b"", False)
_OUTSIDE = (b"\0", False)  # on a file system of which only parts are mounted, and in none of them
MAX_SILENT = 8  # reads in a row that are all about what is out of scope
MAX_PARTS = 64  # mounts of one file system that are asked
_FOLDER_ONLY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_group(*, unlimited: bool) -> tuple[int, bool]:
    """Return (fanotify group, whether it tells processes by pidfd); `OSError` where nothing of the kind is allowed."""
    flags = BASE | (sc.FAN_UNLIMITED_QUEUE if unlimited else 0)
    for more in (_NAMING | sc.FAN_REPORT_PIDFD, sc.FAN_REPORT_PIDFD):
        with suppress(OSError):
            return sc.fanotify_init(flags | more), True
    return sc.fanotify_init(flags), False


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
        self._roots: dict[bytes, list[bytes]] = {}  # file system's identity -> where it is mounted, the whole first
        self._opened: dict[bytes, int | None] = {}  # descriptors of those places, only while one read is worked on
        self._folders: OrderedDict[bytes, tuple[bytes, bool]] = OrderedDict()
        self._orphans = Orphans()

    def fileno(self) -> int:
        """Return the group."""
        return self._group

    # --- marks ----------------------------------------------------------------------------------------------------

    def mark(self) -> list[Marked]:
        """Mark each file system once; what cannot be marked says why.

        All are marked anew each time: a file system that came in another's stead may wear its device number.
        """
        mounts = self._mounts()
        taken, _ = in_scope(mounts, self._scopes, self._leaves_out)
        self._roots.clear()
        marked = [self._mark(mount, CHANGES) for mount in whole_first(taken)]
        devices = {mount.device for mount in taken}
        self._mark_programs([m for m in mounts if m.device not in devices])
        for mount in sorted(taken, key=lambda m: (len(m.root), len(m.point))):
            with suppress(OSError):
                self._add_part(mount.point)
        for folder in self._own:
            self._mark_folders(folder)
        self._folders.clear()
        return marked

    def _mark_folders(self, top: bytes) -> None:
        """Mark a folder and those in it, each by itself."""
        for folder, _, _ in islice(os.walk(top), MAX_OWN_FOLDERS):
            with suppress(OSError):
                sc.fanotify_mark(self._group, sc.FAN_MARK_ADD, CHANGES & ~sc.FAN_OPEN_EXEC | _IN_FOLDER, folder)

    def _mark_programs(self, mounts: list[Mount]) -> None:
        """Hear of programs run from everywhere else, so that short-lived processes have a name."""
        for mount in whole_first(mount for mount in mounts if not self._leaves_out(mount.kind)):
            self._mark(mount, sc.FAN_OPEN_EXEC)

    def _mark(self, mount: Mount, mask: int) -> Marked:
        place = os.fsdecode(mount.point)
        try:
            self._add_part(mount.point)
            self._add_marks(mount.point, mask)
        except OSError as error:
            return Marked(place, mount.kind, False, error.strerror or "cannot be marked")
        return Marked(place, mount.kind, True)

    def _add_part(self, point: bytes) -> None:
        """Look for folders here too: of some file systems only parts are mounted, in several places."""
        parts = self._roots.setdefault(_identity_at(point), [])
        if point not in parts and len(parts) < MAX_PARTS:
            parts.append(point)

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
        """Return what one read gives that says anything at all; nothing where all has been read."""
        for _ in range(MAX_SILENT):
            try:
                data = os.read(self._group, READ_SIZE)
            except BlockingIOError:
                break
            try:
                told = self._events(data)
            finally:
                self._let_go()
            if told != ([], []):
                return told
        return [], self._overdue()

    def patience(self) -> float | None:
        """Return how long events of vanished folders wait for a name."""
        return self._orphans.patience if len(self._orphans) else None

    def _events(self, data: bytes) -> tuple[list[FileEvent], list[Loss]]:
        """Return what the events of one read say."""
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
        alive, places, child = _records(data, at, end, folder=bool(mask & sc.FAN_ONDIR))
        what = _what(mask)
        for key, name in places:
            folder, wanted = self._folder(key)
            if folder == _OUTSIDE[0]:
                continue
            if folder:
                self._tell(FileEvent(_joined(folder, name), what, pid, alive), wanted, child, events)
            elif what != EXECUTED and not self._orphans.keep(key, Orphan(name, what, pid, alive, child)):
                losses.append(Loss("vanished-folder", name))
        if what & FOLDER and what & MOVED:
            self._folders.clear()  # paths below it are others now

    def _tell(self, event: FileEvent, wanted: bool, child: bytes, events: list[FileEvent]) -> None:
        """Report an event whose path is known, and what happened in a folder that it names the path of."""
        path, what = event.path, event.what
        if child and what & FOLDER and what & REMOVED:
            self._orphans.names_children = True
            for place, orphan in self._orphans.claim(child, path):
                if self._in_scope(place):
                    events.append(FileEvent(place, orphan.what, orphan.pid, orphan.alive))
        if wanted or what == EXECUTED or self._in_scope(path):
            events.append(event)
        if what & FOLDER and what & CREATED:
            self._know(child, path)
            if any(is_below(path, own) for own in self._own):
                self._mark_folders(path)

    def _know(self, child: bytes, path: bytes) -> None:
        """Remember a new folder's path: it may be gone before anybody asks."""
        if child:
            self._folders[child] = (path, self._in_scope(path))
            if len(self._folders) > MAX_FOLDERS:
                self._folders.popitem(last=False)

    def _overdue(self) -> list[Loss]:
        number = self._orphans.overdue()
        return [Loss("vanished-folder", b"", number)] if number else []

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

    def _root(self, point: bytes, identity: bytes) -> int | None:
        """Return a descriptor on a mounted file system for the rest of this read: whoever keeps one open keeps others
        from unmounting it."""
        if point not in self._opened:
            self._opened[point] = None
            with suppress(OSError):
                descriptor = os.open(point, _FOLDER_ONLY)
                if sc.file_system_identity(descriptor) == identity:
                    self._opened[point] = descriptor
                else:  # unmounted meanwhile
                    os.close(descriptor)
        return self._opened[point]

    def _let_go(self) -> None:
        """Keep no file system busy."""
        for descriptor in self._opened.values():
            if descriptor is not None:
                os.close(descriptor)
        self._opened.clear()

    def _looked_up(self, key: bytes) -> tuple[bytes, bool]:
        found = _GONE
        for point in self._roots.get(key[:8], ()):
            root = self._root(point, key[:8])
            if root is None:
                continue
            path = _path_of(root, key[12:])
            if path is None:
                return _GONE
            if path:
                return path, self._in_scope(path)
            found = _OUTSIDE
        return found

    def _in_scope(self, path: bytes) -> bool:
        return any(is_below(path, scope) for scope in (*self._scopes, *self._own))

    def close(self) -> None:
        """Give everything back."""
        self._let_go()
        os.close(self._group)


def _identity_at(point: bytes) -> bytes:
    descriptor = os.open(point, _FOLDER_ONLY)
    try:
        return sc.file_system_identity(descriptor)
    finally:
        os.close(descriptor)


def _path_of(root: int, handle: bytes) -> bytes | None:
    """Return the path of the folder that a handle names; empty where this mount does not show it, None if it is gone.

    Of what lies outside a mount that shows a part, the kernel says "/" (d_path), which would make "/sshd" of a program.
    """
    try:
        descriptor = sc.open_by_handle(root, handle)
    except OSError:
        return None
    try:
        path = os.readlink(b"/proc/self/fd/%d" % descriptor)
        if path == b"/" and not os.path.samestat(os.fstat(descriptor), os.stat(b"/")):
            return b""
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return path if path.startswith(b"/") and not path.endswith(b" (deleted)") else None


def _records(data: bytes, at: int, end: int, *, folder: bool) -> tuple[bool | None, list[tuple[bytes, bytes]], bytes]:
    """Return (whether the process still runs, places, a folder's own handle) of an event, and give its pidfd back."""
    alive: bool | None = None
    places: list[tuple[bytes, bytes]] = []
    child = b""
    while at + 4 <= end:
        kind, _, size = _INFO.unpack_from(data, at)
        if size < 4:
            break
        if kind == _PIDFD:
            descriptor = int.from_bytes(data[at + 4 : at + 8], "little", signed=True)
            alive = descriptor >= 0 if descriptor != _NO_PIDFD_MADE else None
            if descriptor >= 0:
                os.close(descriptor)
        elif kind == _FID and folder:
            child = _place(data, at, size)[0]
        elif kind in (_DFID_NAME, _DFID, _OLD, _NEW):
            places.append(_place(data, at, size))
        at += size
    return alive, places, child


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
