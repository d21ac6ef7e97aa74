"""A file tree in memory: what tests and rule cases examine, with no disk, no root and no clean-up."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Literal

from hinomi.evidence.ownership import ownership_of
from hinomi.evidence.sources.platforms import platform_of
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry, EntryKind
from hinomi.model.findings import Coverage

MAX_LINKS = 40
_DEFAULT_TIME = 1_700_000_000.0


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """One entry. `link` makes it a symbolic link; `kind` a folder or special file."""

    data: bytes = b""
    mode: int | None = None  # 0o644 for files, 0o755 for folders, 0o777 for links
    uid: int = 0
    gid: int = 0
    mtime: float = _DEFAULT_TIME
    ctime: float | None = None  # as mtime
    link: bytes | None = None
    kind: EntryKind = "file"
    links: int = 1
    inode: int | None = None  # numbered in path order; give two files the same one to make them hard links
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


_FOLDER = MemoryFile(kind="directory")
_DEFAULT_MODES: dict[str, int] = {"directory": 0o755, "symlink": 0o777}


class MemoryView:
    """A read-only tree of `MemoryFile`s (implements `FileSystemView`); parents that are not given are folders."""

    def __init__(self, files: Mapping[bytes, MemoryFile]) -> None:
        """Take the files by absolute path."""
        self._files: dict[bytes, MemoryFile] = {b"/": _FOLDER}
        for path, file in files.items():
            clean = _join(_parts(path))
            for cut in range(1, len(_parts(path))):
                self._files.setdefault(_join(_parts(path)[:cut]), _FOLDER)
            self._files[clean] = file
        self._names: dict[bytes, list[bytes]] = {}
        for path in self._files:
            if path != b"/":
                self._names.setdefault(_parent(path), []).append(path.rsplit(b"/", 1)[-1])
        for names in self._names.values():
            names.sort()
        self._entries = {path: self._entry(number, path) for number, path in enumerate(sorted(self._files), 1)}

    def _entry(self, number: int, path: bytes) -> Entry:
        file = self._files[path]
        kind: EntryKind = "symlink" if file.link is not None else file.kind
        size = len(file.data) if kind == "file" else len(file.link or b"")
        return Entry(
            path=path,
            kind=kind,
            size=size,
            mode=_DEFAULT_MODES.get(kind, 0o644) if file.mode is None else file.mode,
            uid=file.uid,
            gid=file.gid,
            inode=number if file.inode is None else file.inode,
            device=1,
            links=file.links,
            mtime=file.mtime,
            ctime=file.mtime if file.ctime is None else file.ctime,
            link_target=file.link,
            blocks=(size + 511) // 512,
        )

    def walk(self, coverage: Coverage) -> Iterator[Entry]:
        """Yield every entry: a folder's entries in byte order, then its sub-folders' contents."""
        del coverage  # nothing here can fail to be listed
        yield self._entries[b"/"]
        todo = [b"/"]
        while todo:
            path = todo.pop()
            entries = [self._entries[_join([*_parts(path), name])] for name in self._names.get(path, ())]
            yield from entries
            todo.extend(entry.path for entry in reversed(entries) if entry.kind == "directory")

    def entry(self, path: bytes) -> Entry | None:
        """Return the entry at `path`, its last part not followed."""
        found = self._resolve(path, follow=False)
        return None if found is None else self._entries[found]

    def listdir(self, path: bytes) -> list[bytes]:
        """Return the names in a folder."""
        found = self.resolve(path)
        return [] if found is None else list(self._names.get(found, ()))

    def open(self, path: bytes) -> BinaryIO:
        """Open a regular file."""
        found = self.resolve(path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if self._entries[found].kind != "file":
            raise OSError(errno.EINVAL, "not a regular file", path)
        return io.BytesIO(self._files[found].data)

    def read(self, path: bytes, limit: int) -> bytes:
        """Return at most `limit` bytes."""
        with self.open(path) as file:
            return file.read(limit)

    def resolve(self, path: bytes) -> bytes | None:
        """Follow links inside the tree."""
        return self._resolve(path, follow=True)

    def xattrs(self, path: bytes) -> dict[str, bytes]:
        """Return extended attributes."""
        found = self._resolve(path, follow=False)
        return {} if found is None else dict(self._files[found].xattrs)

    def _resolve(self, path: bytes, *, follow: bool) -> bytes | None:
        todo = _parts(path)[::-1]
        done: list[bytes] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == b"..":
                del done[-1:]
                continue
            here = self._files.get(_join([*done, part]))
            if here is None:
                return None
            if here.link is None or not (todo or follow):
                done.append(part)
                continue
            links += 1
            if links > MAX_LINKS:
                return None
            todo.extend(_parts(here.link)[::-1])
            if here.link.startswith(b"/"):
                done.clear()
        return _join(done)


def memory_target(
    files: Mapping[str, MemoryFile | bytes | str],
    *,
    platform: Literal["linux", "windows", "macos", "unknown"] | None = None,
    host: str = "memory",
) -> Target:
    """Return a target of `{absolute path: content}`; text is UTF-8. The platform is recognised as for any root."""
    tree = {path.encode("utf-8", "surrogateescape"): _memory_file(content) for path, content in files.items()}
    view = MemoryView(tree)
    return Target(
        name=host,
        kind="root",
        host=host,
        view=view,
        ownership=ownership_of(view),
        platform=platform or platform_of(view),
    )


def _memory_file(content: MemoryFile | bytes | str) -> MemoryFile:
    if isinstance(content, str):
        return MemoryFile(content.encode())
    return MemoryFile(content) if isinstance(content, bytes) else content


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part not in (b"", b".")]


def _join(parts: list[bytes]) -> bytes:
    return b"/" + b"/".join(parts)


def _parent(path: bytes) -> bytes:
    return path.rsplit(b"/", 1)[0] or b"/"
