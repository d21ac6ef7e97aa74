"""A folder as a root file system: a mounted image, an unpacked appliance, a chroot, or `/` itself.

Nothing is looked up by a long path: each level is opened relative to the folder above it, never through a link, and
what was opened is asked again what it is. Links are followed by us, inside the target. Nothing that is not a regular
file or a folder is ever opened, and where we may, reading leaves no trace in access times.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from hinomi.evidence.archives.source import Source
from hinomi.evidence.folders import miss_os_error
from hinomi.evidence.images.disk import DiskSource
from hinomi.evidence.options import Selection
from hinomi.evidence.ownership import ownership_of
from hinomi.evidence.sources.descriptors import FILE, FOLDER, OpenFolder, make_entry, open_at, read_xattrs
from hinomi.evidence.sources.listings import asked_entries, names_in
from hinomi.evidence.sources.mounts import skipped_mounts
from hinomi.evidence.sources.platforms import host_label, platform_of
from hinomi.evidence.sources.statx import extras_of
from hinomi.evidence.target import Limits, Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import TargetError
from hinomi.model.findings import Coverage
from hinomi.model.text import path_text, printable

MAX_LINKS = 40  # as the kernel
MAX_OPEN_FOLDERS = 200  # of the walk's own stack; the soft limit on descriptors is often 1,024
_MORE = 1 << 16  # bytes to ask for where a file is longer than it says
MAX_NAMED = 200  # excluded places that the coverage names one by one


Listing = Callable[[bytes, int, Coverage], list[Entry]]  # a folder's path and descriptor -> its entries in order


class _Frame(NamedTuple):
    """A listed folder with the sub-folders still to be walked (last first)."""

    folder: OpenFolder | None  # None: too many are open, look sub-folders up from the root again
    todo: list[bytes]


class RootView:
    """Reads a folder as a root file system (implements `FileSystemView` and `FolderView`).

    `exclude` holds paths inside the target that are not walked (our own case), `mounts` those of file systems that are
    left out, with their type. Both are counted as skipped and named. They can still be read by path.
    """

    def __init__(
        self,
        root: bytes,
        *,
        exclude: Sequence[bytes] = (),
        mounts: Mapping[bytes, str] | None = None,
        max_depth: int = 4096,
        selection: Selection | None = None,
        before_open: Callable[[bytes], None] | None = None,
    ) -> None:
        """Open `root`; `selection` is the user's choice of entries, by path inside the target.

        `before_open` is called with each path between listing and opening (for tests of races).
        """
        self.root = root
        self._fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._exclude = frozenset(_join(_parts(path)) for path in exclude)
        self._max_depth = max_depth
        self._mounts = dict(mounts or {})
        self._selection = selection
        self._asked = asked_entries()
        self._parents = frozenset(p.rpartition(b"/")[0] or b"/" for p in (*self._exclude, *self._mounts))
        self._device = os.fstat(self._fd).st_dev
        self._before_open = before_open
        self.in_workers = self.by_descriptor = before_open is None
        self._last: tuple[bytes, OpenFolder] | None = None
        self._close = os.close

    def __del__(self) -> None:
        if hasattr(self, "_close"):
            self._forget_last()
            self._close(self._fd)

    def _forget_last(self) -> None:
        if self._last is not None:
            self._last[1].release()
            self._last = None

    # --- the walk -------------------------------------------------------------------------------------------------

    def walk(self, coverage: Coverage) -> Iterator[Entry]:
        """Yield every entry: a folder's entries in byte order, then the contents of its sub-folders in that order."""
        for folder in self.folders(coverage):
            try:
                yield from folder.entries
            finally:
                folder.release()

    def folders(self, coverage: Coverage, listing: Listing | None = None) -> Iterator[OpenFolder]:
        """Yield the open folders of the walk; the caller releases each. `listing` lists them in another way."""
        top = OpenFolder(os.dup(self._fd))
        top.entries = [make_entry(b"/", os.fstat(self._fd))]
        yield top
        yield from self.folders_below(b"/", coverage, listing)

    def folders_below(self, path: bytes, coverage: Coverage, listing: Listing | None = None) -> Iterator[OpenFolder]:
        """Yield a folder and those in it, as `folders` does."""
        return (folder for _, folder in self.listings_below(path, coverage, listing))

    def listings_below(
        self, path: bytes, coverage: Coverage, listing: Listing | None = None
    ) -> Iterator[tuple[bytes, OpenFolder]]:
        """Yield (path, open folder) of a folder and of those in it; the caller releases each."""
        frames = [_Frame(None, [path])]
        try:
            while frames:
                frame = frames[-1]
                path = frame.todo.pop()
                folder = self._list(path, frame.folder, coverage, listing or self.entries_of)
                if not frame.todo:
                    _release(frames.pop())
                if folder is None:
                    continue
                todo = self._sub_folders(path, folder, coverage)
                if todo:
                    frames.append(_Frame(_retained(folder) if len(frames) < MAX_OPEN_FOLDERS else None, todo))
                yield path, folder
        finally:
            for frame in frames:
                _release(frame)

    def folder_at(self, path: bytes) -> OpenFolder:
        """Open one folder without listing it; `OSError` where a part of its path is missing, no folder or a link."""
        return OpenFolder(self._descend(_parts(path)), self._before_open)

    def listed(self, path: bytes, coverage: Coverage) -> OpenFolder | None:
        """Open and list one folder; None, with a miss, where that fails. The caller releases it."""
        return self._list(path, None, coverage, self.entries_of)

    def leaves_out(self, path: bytes, coverage: Coverage) -> bool:
        """Whether the walk leaves an entry out whatever it is; said in the coverage."""
        if path in self._mounts or path in self._exclude:
            self._say_skipped(path, coverage)
            return True
        if self._selection is not None and self._selection.leaves_out(path):
            coverage.skip("not-chosen")
            return True
        return False

    @property
    def is_selective(self) -> bool:
        """Whether the user chose among the entries."""
        return self._selection is not None

    def chooses(self, entry: Entry, coverage: Coverage) -> bool:
        """Whether the user's choice takes an entry; said in the coverage where not."""
        return self._selection is None or self._chosen(entry, self._selection, coverage)

    def _list(self, path: bytes, parent: OpenFolder | None, coverage: Coverage, listing: Listing) -> OpenFolder | None:
        """Open and list one folder; None, with a miss, where that fails."""
        try:
            if self._before_open is not None:
                self._before_open(path)
            if parent is not None:
                fd = open_at(path.rsplit(b"/", 1)[-1], FOLDER, parent.fd)
            else:
                fd = self._descend(_parts(path))
        except OSError as error:
            miss_os_error(coverage, "walk", path, error)
            return None
        folder = OpenFolder(fd, self._before_open)
        folder.entries = listing(path, fd, coverage)
        return folder

    def entries_of(self, path: bytes, fd: int, coverage: Coverage) -> list[Entry]:
        """Return the entries of an open folder in byte order of their names, but for those that are left out."""
        prefix = path if path == b"/" else path + b"/"
        try:
            if self._selection is None and path not in self._parents:
                return self._asked(fd, prefix, coverage, None)
            names = [name for name in names_in(fd) if not self.leaves_out(prefix + name, coverage)]
            entries = self._asked(fd, prefix, coverage, names)
        except OSError as error:
            miss_os_error(coverage, "walk", path, error)
            return []
        return [entry for entry in entries if self.chooses(entry, coverage)]

    def _chosen(self, entry: Entry, selection: Selection, coverage: Coverage) -> bool:
        """Whether the user's choice takes an entry: other file systems by their folders, files by their names."""
        if entry.kind == "directory":
            if not selection.same_fs or entry.device == self._device:
                return True
            self._say(f"other-file-system:{printable(path_text(entry.path))}", coverage)
            return False
        if selection.takes(entry.path):
            return True
        coverage.skip("not-chosen")
        return False

    def _say_skipped(self, path: bytes, coverage: Coverage) -> None:
        kind = self._mounts.get(path)
        if kind is not None:
            coverage.skip(f"file-system:{kind}")
        self._say(f"{'excluded' if kind is None else 'mount'}:{printable(path_text(path))}", coverage)

    @staticmethod
    def _say(named: str, coverage: Coverage) -> None:
        if len(coverage.skipped) < MAX_NAMED:
            coverage.skip(named)
        else:
            coverage.skip("excluded:others")

    def _sub_folders(self, path: bytes, folder: OpenFolder, coverage: Coverage) -> list[bytes]:
        """Return the paths of the sub-folders to walk, last first."""
        todo = [entry.path for entry in reversed(folder.entries) if entry.kind == "directory"]
        if todo and path.count(b"/") >= self._max_depth:
            coverage.miss("walk", printable(path_text(path)[:200]), "too-deep")
            return []
        return todo

    # --- single paths ---------------------------------------------------------------------------------------------

    def entry(self, path: bytes) -> Entry | None:
        """Return the entry at `path`, its last part not followed."""
        found = self._look_up(path, follow=False)
        if found is None:
            return None
        try:
            target = os.readlink(found.name, dir_fd=found.folder) if stat.S_ISLNK(found.info.st_mode) else None
            return make_entry(found.path, found.info, target, extras_of(found.name, found.folder))
        except OSError:
            return None
        finally:
            os.close(found.folder)

    def listdir(self, path: bytes) -> list[bytes]:
        """Return the names in a folder."""
        found = self._look_up(path, follow=True)
        if found is None:
            return []
        try:
            fd = open_at(found.name, FOLDER, found.folder)
        except OSError:
            return []
        finally:
            os.close(found.folder)
        try:
            return sorted(map(os.fsencode, os.listdir(fd)))
        except OSError:
            return []
        finally:
            os.close(fd)

    def open(self, path: bytes) -> BinaryIO:
        """Open a regular file; links are resolved inside the target, FIFOs and devices never opened."""
        return os.fdopen(self._opened(path), "rb")

    def _opened(self, path: bytes) -> int:
        found = self._look_up(path, follow=True)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        try:
            if not stat.S_ISREG(found.info.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", path)
            fd = open_at(found.name, FILE, found.folder)
        finally:
            os.close(found.folder)
        if not stat.S_ISREG(os.fstat(fd).st_mode):  # swapped since we looked
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file", path)
        return fd

    def file_source(self, path: bytes) -> Source:
        """Return a regular file's content for reading at any offset, no part of its path a link; `OSError` else.

        The last folder stays open: who asks for many files asks folder by folder.
        """
        folder, _, name = path.rpartition(b"/")
        if self._last is None or self._last[0] != folder:
            opened = self.folder_at(folder)
            self._forget_last()
            self._last = folder, opened
        fd = open_at(name, FILE, self._last[1].fd)
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file", path)
        return DiskSource(fd, info.st_size)

    def read(self, path: bytes, limit: int) -> bytes:
        """Return at most `limit` bytes; works for files that say size 0 (/proc)."""
        fd = self._opened(path)
        try:
            parts, left, room = [], limit, os.fstat(fd).st_size + 1  # not room for `limit`: most files are small
            while left > 0 and (part := os.read(fd, min(left, room))):
                parts.append(part)
                left -= len(part)
                room = max(room, _MORE)
        finally:
            os.close(fd)
        return b"".join(parts)

    def resolve(self, path: bytes) -> bytes | None:
        """Follow links inside the target."""
        found = self._look_up(path, follow=True)
        if found is None:
            return None
        os.close(found.folder)
        return found.path

    def xattrs(self, path: bytes) -> dict[str, bytes]:
        """Return extended attributes of a regular file or folder."""
        found = self._look_up(path, follow=False)
        if found is None:
            return {}
        try:
            if stat.S_IFMT(found.info.st_mode) not in (stat.S_IFREG, stat.S_IFDIR):
                return {}
            fd = open_at(found.name, FILE, found.folder)
        except OSError:
            return {}
        finally:
            os.close(found.folder)
        try:
            return read_xattrs(fd)
        finally:
            os.close(fd)

    def _descend(self, parts: Sequence[bytes]) -> int:
        """Open the folder at `parts`, none of which may be a link."""
        fd = os.dup(self._fd)
        for part in parts:
            try:
                lower = open_at(part, FOLDER, fd)
            finally:
                os.close(fd)
            fd = lower
        return fd

    def _look_up(self, path: bytes, *, follow: bool) -> _Found | None:
        """Walk to `path` part by part, following links inside the root as the kernel does in a chroot."""
        if b"\0" in path:
            return None
        try:
            return _Lookup(self, path, follow=follow).run()
        except OSError:
            return None


class _Found(NamedTuple):
    """Where a path led: the open folder (to be closed by the caller), the name in it, and what stands there."""

    path: bytes
    folder: int
    name: bytes
    info: os.stat_result


class _Lookup:
    """One resolution of one path. Holds one descriptor at a time."""

    def __init__(self, view: RootView, path: bytes, *, follow: bool) -> None:
        self._view = view
        self._follow = follow
        self._todo = _parts(path)[::-1]
        self._done: list[bytes] = []
        self._links = 0

    def run(self) -> _Found | None:
        """Return where the path leads; None for loops and for what is not there; `OSError` likewise."""
        fd = self._view._descend(())
        try:
            while self._todo:
                part = self._todo.pop()
                if part == b"..":
                    fd = self._up(fd)
                    continue
                info = os.stat(part, dir_fd=fd, follow_symlinks=False)
                if stat.S_ISLNK(info.st_mode) and (self._todo or self._follow):
                    fd = self._through(part, fd)
                    continue
                self._done.append(part)
                if not self._todo:
                    found, fd = _Found(_join(self._done), fd, part, info), -1
                    return found
                fd = _swap(fd, open_at(part, FOLDER, fd))
            return self._at_folder()
        finally:
            if fd >= 0:
                os.close(fd)

    def _at_folder(self) -> _Found:
        """The path ended with `..` or was the root: the folder itself, named `.` in itself."""
        fd = self._view._descend(self._done)
        return _Found(_join(self._done), fd, b".", os.fstat(fd))

    def _up(self, fd: int) -> int:
        """One level up, by walking down again: the folder above may have been moved, and the root stays the root."""
        del self._done[-1:]
        return _swap(fd, self._view._descend(self._done))

    def _through(self, part: bytes, fd: int) -> int:
        self._links += 1
        if self._links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = os.readlink(part, dir_fd=fd)
        self._todo.extend(_parts(target)[::-1])
        if not target.startswith(b"/"):
            return fd
        self._done.clear()
        return _swap(fd, self._view._descend(()))


def _swap(old: int, new: int) -> int:
    os.close(old)
    return new


def _parts(path: bytes) -> list[bytes]:
    """Split a path; `.` and empty parts mean nothing."""
    return [part for part in path.split(b"/") if part not in (b"", b".")]


def _join(parts: Sequence[bytes]) -> bytes:
    return b"/" + b"/".join(parts)


def _retained(folder: OpenFolder) -> OpenFolder:
    folder.retain()
    return folder


def _release(frame: _Frame) -> None:
    if frame.folder is not None:
        frame.folder.release()


def root_target(
    path: str | os.PathLike[str],
    *,
    exclude: Sequence[bytes] = (),
    limits: Limits | None = None,
    selection: Selection | None = None,
) -> Target:
    """Return a folder as a target; needs no privileges. `exclude` holds absolute paths of this host.

    Raises `TargetError` where it is missing, no folder or closed to us.
    """
    name = os.fspath(path)
    root = os.path.realpath(os.fsencode(name))
    bounds = limits or Limits()
    try:
        view = RootView(
            root,
            exclude=_inside(root, exclude),
            mounts=skipped_mounts(root),
            max_depth=bounds.max_walk_depth,
            selection=selection,
        )
    except OSError as error:
        raise _target_error(name, error) from error
    return Target(
        name=name,
        kind="root",
        host=host_label(view, path_text(root.rsplit(b"/", 1)[-1]) or "root"),
        view=view,
        ownership=ownership_of(view),
        platform=platform_of(view),
        limits=bounds,
    )


def _inside(root: bytes, paths: Sequence[bytes]) -> list[bytes]:
    """Return the paths below `root`, as paths inside it."""
    prefix = root.rstrip(b"/") + b"/"
    real = [os.path.realpath(path) for path in paths]
    return [path[len(prefix) - 1 :] for path in real if path.startswith(prefix)]


def _target_error(name: str, error: OSError) -> TargetError:
    code = "target.permission" if isinstance(error, PermissionError) else "target.missing"
    return TargetError(code, place=name, cause=error.strerror or "cannot be opened", next_step="name a readable folder")
