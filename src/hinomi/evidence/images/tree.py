"""What an image holds: nodes with attributes, folders that list others, content that is read on demand."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import Source
from hinomi.evidence.view import EntryKind
from hinomi.model.errors import ParseError
from hinomi.model.text import path_text, printable

MAX_NODES = 2_000_000
MAX_LISTED = 1 << 30  # bytes of folders read in one image, several times the largest honest one
MAX_PARTS = 4096
MAX_NAMED = 20

KINDS: dict[int, EntryKind] = {
    0o100000: "file",
    0o040000: "directory",
    0o120000: "symlink",
    0o010000: "fifo",
    0o140000: "socket",
    0o060000: "block-device",
    0o020000: "character-device",
}


@dataclass(slots=True)
class Node:
    """One file, folder, link or device of an image. Times are seconds since 1970 UTC."""

    kind: EntryKind
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: float = 0.0
    ctime: float | None = None  # as mtime where the format has none
    btime: float | None = None
    inode: int = 0
    links: int = 1
    link: bytes | None = None
    blocks: int | None = None
    flags: int | None = None  # inode flags as FS_*_FL
    content: Callable[[], Source] | None = None
    xattrs: Callable[[], dict[str, bytes]] | None = None
    children: dict[bytes, Node] | None = None  # folders of built trees only


class Tree(Protocol):
    """An opened file system or archive. Methods raise `ParseError` for damage and nothing else."""

    kind: str
    root: Node
    notes: Notes

    def children(self, node: Node) -> Mapping[bytes, Node]:
        """Return a folder's entries by name."""


@dataclass(slots=True)
class Notes:
    """What is to be said of an opened image: what was missed, and what was left out by design."""

    missed: list[tuple[str, str, str]] = field(default_factory=list)  # place inside, reason, detail
    skipped: Counter[str] = field(default_factory=Counter)
    named: int = 0

    def miss(self, place: str, reason: str, detail: str = "") -> None:
        """Record something that should have been looked at; the list is bounded by its users (one per container)."""
        if len(self.missed) < 1000:
            self.missed.append((place, reason, detail))

    def skip(self, why: str, name: bytes) -> None:
        """Record something left out by design, the first few by name."""
        self.named += 1
        self.skipped[f"{why}:{printable(path_text(name))}" if self.named <= MAX_NAMED else f"{why}:others"] += 1


# What reading numbers from damaged bytes may raise, besides our own errors.
_OF_DAMAGE = (struct.error, IndexError, KeyError, ValueError, OverflowError)


class _AsDamage:
    """Without state, so that one serves all: every file of an image passes through several."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _OF_DAMAGE):
            raise ParseError("image.damaged", cause=str(error)[:200]) from error


_AS_DAMAGE = _AsDamage()


def as_damage() -> _AsDamage:
    """Make what damaged bytes raise in a parser a `ParseError`."""
    return _AS_DAMAGE


def reason_of(error: ParseError) -> str:
    """Map an error's code to the coverage's reason."""
    last = error.code.rsplit(".", 1)[-1]
    known = ("truncated", "encrypted", "unsupported", "unreadable", "budget", "unknown", "incomplete")
    return last if last in known else "damaged"


class Listing:
    """Counts what folders cost: thousands of folders may claim the same large area."""

    def __init__(self) -> None:
        self._left = MAX_LISTED

    def spend(self, size: int) -> None:
        """Count bytes of a folder; `BudgetError` past the limit."""
        self._left -= size
        if self._left < 0:
            raise BudgetError("bytes of folders")


class BuiltTree:
    """A tree put together member by member, as archives list them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.root = _folder(1)
        self.notes = Notes()
        self.packing: dict[str, Any] = {}  # columns of the table `images`
        self._count = 1

    def children(self, node: Node) -> Mapping[bytes, Node]:
        """Return a folder's entries by name."""
        return node.children or {}

    def number(self) -> int:
        """Return the next inode number; `BudgetError` when there are too many."""
        self._count += 1
        if self._count > MAX_NODES:
            raise BudgetError("entries")
        return self._count

    def add(self, name: bytes, node: Node) -> None:
        """Put a node at `name`: parents are made, `..` stays inside, a later member of the same name wins."""
        parts = self._parts(name)
        if node.kind == "directory" and node.children is None:
            node.children = {}
        if not parts:
            if node.kind == "directory":
                node.children = self.root.children
                self.root = node
            return
        folder = self._parent(parts)
        children = folder.children
        assert children is not None  # _parent gives folders of this tree only
        old = children.get(parts[-1])
        if old is not None and old.kind == node.kind == "directory":
            node.children = old.children
        elif old is not None:
            old.links -= 1
            self.notes.skip("duplicate-name", name)
        children[parts[-1]] = node

    def link(self, name: bytes, target: bytes) -> bool:
        """Make `name` another name of the file at `target`; False where there is none."""
        node = self.find(target)
        if node is None or node.kind == "directory":
            return False
        if self.find(name) is not node:
            node.links += 1
            self.add(name, node)
        return True

    def find(self, name: bytes) -> Node | None:
        """Return the node at a member's name, links not followed."""
        node: Node | None = self.root
        for part in _clean(name):
            node = (node.children or {}).get(part) if node is not None else None
        return node

    def remove(self, name: bytes) -> bool:
        """Take away what is at `name`; False where nothing is."""
        parts = _clean(name)
        folder = self.find(b"/".join(parts[:-1])) if parts else None
        return folder is not None and (folder.children or {}).pop(parts[-1], None) is not None

    def _parts(self, name: bytes) -> list[bytes]:
        parts = _clean(name)
        if len(parts) > MAX_PARTS:
            self.notes.miss(printable(path_text(name[:200])), "budget", "depth")
            parts = parts[:MAX_PARTS]
        if b".." in name.split(b"/"):
            self.notes.skip("name-leaves-image", name)
        return parts

    def _parent(self, parts: list[bytes]) -> Node:
        """Return the folder of a member; a member where a folder is needed makes way, as with `tar -x`."""
        node = self.root
        for depth, part in enumerate(parts[:-1]):
            children = node.children
            assert children is not None  # only folders are entered
            child = children.get(part)
            if child is not None and child.kind == "symlink":
                child = self._through(parts[:depth], child.link or b"") or child
            if child is None or child.children is None:
                if child is not None:
                    self.notes.skip("duplicate-name", b"/".join(parts[: depth + 1]))
                child = children[part] = _folder(self.number())
            node = child
        return node

    def _through(self, folder: list[bytes], target: bytes) -> Node | None:
        """A member below a link: unpacking would have followed one link to a folder of the archive."""
        name = target if target.startswith(b"/") else b"/".join([*folder, target])
        return self.find(name)


def _clean(name: bytes) -> list[bytes]:
    """Return the parts of a member's name, kept inside the root."""
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return parts


def _folder(number: int) -> Node:
    return Node("directory", 0o755, inode=number, children={})
