"""What file systems read in place have in common: folders are listed when asked for, and remembered for a while."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.tree import Listing, Node, Notes, as_damage
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError
from hinomi.model.text import path_text, printable

MAX_FOLDERS = 2048


class LazyTree(ABC):
    """A file system read in place (implements `Tree`); a sub-class sets `root` and lists folders."""

    kind: str
    root: Node

    def __init__(self, source: Source) -> None:
        """Take the image."""
        self.source = source
        self.notes = Notes()
        self._listing = Listing()
        self._folders: Kept[dict[bytes, Node]] = Kept(MAX_FOLDERS)

    def children(self, node: Node) -> Mapping[bytes, Node]:
        """Return a folder's entries by name; an entry whose inode is damaged is noted and left out."""
        with as_damage():
            return self._folders.get(node.inode, lambda: self._list(node))

    @abstractmethod
    def _list(self, node: Node) -> dict[bytes, Node]:
        """Return a folder's entries; `ParseError` where it cannot be listed at all."""

    def _enter(self, found: dict[bytes, Node], name: bytes, make: Callable[[], Node]) -> None:
        """Put an entry among those found: names that no path may hold and inodes that make no sense are noted."""
        if name in (b".", b".."):
            return
        shown = printable(path_text(name[:200]))
        if not name or b"/" in name or b"\0" in name:
            self.notes.miss(shown, "damaged", "name")
            return
        try:
            with as_damage():
                found[name] = make()
        except BudgetError:
            raise
        except ParseError as error:
            self.notes.miss(shown, "damaged", error.cause)

    def _need_folder(self) -> None:
        """Check the root."""
        if self.root.kind != "directory":
            raise ParseError("image.damaged", cause="the root inode is no folder")
