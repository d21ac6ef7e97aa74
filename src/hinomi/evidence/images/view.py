"""A tree of nodes as a file system view: links are resolved inside, devices are entries that nobody opens."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from hinomi.evidence.archives.source import Source
from hinomi.evidence.folders import NOT_COLLECTED, Identity
from hinomi.evidence.images.disk import read_source, reader_over
from hinomi.evidence.images.tree import Node, Tree, as_damage
from hinomi.evidence.options import Selection
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.text import path_text, printable

MAX_LINKS = 40  # as the kernel
MIN_READ_BUDGET = 64 << 30
MAX_NUMBER = (1 << 63) - 1  # what a row's column holds: images may claim more


class ImageView:
    """Reads a tree (implements `FileSystemView`, `FolderView` and `WorkerView`); safe between threads and after forks.

    At most `budget` bytes are read in all: an image of a few kilobytes may claim any number of endless sparse files.
    """

    in_workers = True

    def __init__(
        self,
        tree: Tree,
        *,
        max_depth: int = 4096,
        budget: int = MIN_READ_BUDGET,
        selection: Selection | None = None,
    ) -> None:
        """`selection` is the user's choice of entries to walk, by path inside the image."""
        self.tree = tree
        self._selection = selection
        self._max_depth = max_depth
        self._left = budget

    # --- the walk -------------------------------------------------------------------------------------------------

    def walk(self, coverage: Coverage) -> Iterator[Entry]:
        """Yield every entry: a folder's entries in byte order, then the contents of its sub-folders in that order."""
        for folder in self.folders(coverage):
            yield from folder.entries

    def folders(self, coverage: Coverage) -> Iterator[ImageFolder]:
        """Yield the folders of the walk, parents first."""
        root = self.tree.root
        yield ImageFolder(self, [_entry(b"/", root)], {b"/": root})
        todo: list[tuple[bytes, Node, int]] = [(b"/", root, 0)]
        seen: set[int] = set()
        while todo:
            path, node, depth = todo.pop()
            if node.inode in seen or depth > self._max_depth:
                coverage.miss("walk", _shown(path), "loop" if node.inode in seen else "budget", "folder")
                continue
            seen.add(node.inode)
            folder = self._folder(path, node, coverage)
            yield folder
            below = [e for e in folder.entries if e.kind == "directory"]
            todo.extend((e.path, folder.nodes[e.path], depth + 1) for e in reversed(below))

    def _folder(self, path: bytes, node: Node, coverage: Coverage) -> ImageFolder:
        prefix = path if path == b"/" else path + b"/"
        try:
            children = self.tree.children(node)
        except ParseError as error:
            coverage.miss("walk", _shown(path), "damaged", error.cause)
            children = {}
        nodes = {prefix + name: child for name, child in sorted(children.items())}
        if self._selection is not None:
            nodes = {at: child for at, child in nodes.items() if self._chosen(at, child, self._selection, coverage)}
        return ImageFolder(self, [_entry(at, child) for at, child in nodes.items()], nodes)

    @staticmethod
    def _chosen(path: bytes, node: Node, selection: Selection, coverage: Coverage) -> bool:
        if selection.leaves_out(path) or not (node.kind == "directory" or selection.takes(path)):
            coverage.skip("not-chosen")
            return False
        return True

    def folder_at(self, path: bytes) -> ImageFolder:
        """Return the folder at a path for reading its files; `OSError` where there is none."""
        found = self._find(path, follow=False)
        if found is None or found[1].kind != "directory":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        prefix = path if path == b"/" else path + b"/"
        return ImageFolder(self, (), {prefix + name: node for name, node in self._children(found[1]).items()})

    # --- by path --------------------------------------------------------------------------------------------------

    def entry(self, path: bytes) -> Entry | None:
        """Return the entry at `path`, its last part not followed."""
        found = self._find(path, follow=False)
        return None if found is None else _entry(*found)

    def listdir(self, path: bytes) -> list[bytes]:
        """Return the names in a folder."""
        found = self._find(path, follow=True)
        if found is None or found[1].kind != "directory":
            return []
        return sorted(self._children(found[1]))

    def open(self, path: bytes) -> BinaryIO:
        """Open a regular file."""
        found = self._find(path, follow=True)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return reader_over(self.content(found[1]))

    def read(self, path: bytes, limit: int) -> bytes:
        """Return at most `limit` bytes of a regular file."""
        with self.open(path) as file:
            return file.read(limit)

    def resolve(self, path: bytes) -> bytes | None:
        """Follow links inside the image."""
        found = self._find(path, follow=True)
        return None if found is None else found[0]

    def xattrs(self, path: bytes) -> dict[str, bytes]:
        """Return extended attributes; empty where there are none."""
        found = self._find(path, follow=False)
        return {} if found is None else xattrs_of(found[1])

    def content(self, node: Node) -> Source:
        """Return a regular file's content, counted against the budget; `OSError` for anything else."""
        if node.kind == "file" and node.content is None:
            raise OSError(NOT_COLLECTED, "listed without its content")
        if node.kind != "file" or node.content is None:
            raise OSError(errno.EINVAL, "not a regular file")
        try:
            with as_damage():
                return _Counted(self, node.content())
        except ParseError as error:
            raise OSError(errno.EIO, error.cause or error.code) from error

    def file_source(self, path: bytes) -> Source:
        """Return the content of the regular file at `path` for reading at any offset; `OSError` where there is none."""
        found = self._find(path, follow=True)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return self.content(found[1])

    def spend(self, size: int) -> None:
        """Count bytes read."""
        self._left -= size
        if self._left < 0:
            raise ParseError("image.budget", cause="the image's files are larger than it may cost")

    def _children(self, node: Node) -> Mapping[bytes, Node]:
        try:
            return self.tree.children(node)
        except ParseError:
            return {}  # the walk says it

    def _find(self, path: bytes, *, follow: bool) -> tuple[bytes, Node] | None:
        todo = _parts(path)[::-1]
        way: list[tuple[bytes, Node]] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == b"..":
                del way[-1:]
                continue
            here = way[-1][1] if way else self.tree.root
            node = self._children(here).get(part) if here.kind == "directory" else None
            if node is None:
                return None
            if node.link is None or not (todo or follow):
                way.append((part, node))
                continue
            links += 1
            if links > MAX_LINKS:
                return None
            todo.extend(_parts(node.link)[::-1])
            if node.link.startswith(b"/"):
                way.clear()
        return b"/" + b"/".join(name for name, _ in way), way[-1][1] if way else self.tree.root


class _Counted:
    """A source whose reads are counted."""

    def __init__(self, view: ImageView, source: Source) -> None:
        self._view = view
        self._source = source
        self.size = source.size

    def read_at(self, offset: int, length: int) -> bytes:
        with as_damage():
            data = self._source.read_at(offset, length)
        self._view.spend(len(data))
        return data


class ImageFolder:
    """The entries of one folder (implements `Folder`); nothing is held open."""

    __slots__ = ("_view", "entries", "nodes")

    def __init__(self, view: ImageView, entries: Sequence[Entry], nodes: Mapping[bytes, Node]) -> None:
        self._view = view
        self.entries = entries
        self.nodes = nodes

    def open(self, entry: Entry) -> ImageHandle:
        """Open one of the regular files."""
        node = self.nodes.get(entry.path)
        if node is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), entry.path)
        return ImageHandle(self._view, entry, node)

    def retain(self) -> None:
        """Nothing to keep."""

    def release(self) -> None:
        """Nothing to close."""


class ImageHandle:
    """An open file of an image (implements `Handle`)."""

    __slots__ = ("_at", "_entry", "_node", "_source")

    def __init__(self, view: ImageView, entry: Entry, node: Node) -> None:
        self._entry = entry
        self._node = node
        self._source = view.content(node)
        self._at = 0

    def identity(self) -> Identity:
        """An image does not change: what was listed."""
        entry = self._entry
        return Identity(entry.device, entry.inode, entry.size, int(entry.mtime), int(entry.ctime))

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        data = read_source(self._source, self._at, size)
        self._at += len(data)
        return data

    def readinto(self, buffer: memoryview) -> int:
        """Fill the start of `buffer`."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def rewind(self) -> None:
        """Go back to the first byte."""
        self._at = 0

    def reader(self) -> BinaryIO:
        """Return a reader of its own position."""
        return reader_over(self._source)

    def xattrs(self) -> dict[str, bytes]:
        """Return extended attributes."""
        return xattrs_of(self._node)

    def close(self) -> None:
        """Nothing to close."""


def xattrs_of(node: Node) -> dict[str, bytes]:
    """Return a node's extended attributes; empty where they cannot be read."""
    try:
        with as_damage():
            return node.xattrs() if node.xattrs is not None else {}
    except ParseError:
        return {}


def _entry(path: bytes, node: Node) -> Entry:
    return Entry(
        path,
        node.kind,
        min(node.size, MAX_NUMBER),
        node.mode & 0o7777,
        node.uid,
        node.gid,
        node.inode & MAX_NUMBER,
        1,
        node.links,
        node.mtime,
        node.mtime if node.ctime is None else node.ctime,
        node.btime,
        node.link,
        node.blocks,
        None,
        None,
        node.flags,
    )


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part not in (b"", b".")]


def _shown(path: bytes) -> str:
    return printable(path_text(path))
