"""The list of every file that a collection carries beside the few it holds: The Sleuth Kit's body file, version 3.

A line is MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime. UAC writes it with find or stat: names may stand
in quotes and whose links read `name -> target`. Files that are only listed keep their attributes and have no content.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import NamedTuple

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.tree import BuiltTree, Node, Tree
from hinomi.evidence.view import EntryKind
from hinomi.model.errors import ParseError

MAX_LINE = 8192
STEP = 1 << 20
_FIELDS = 11
_KINDS: dict[str, EntryKind] = {
    "d": "directory", "l": "symlink", "b": "block-device", "c": "character-device", "p": "fifo", "s": "socket",
    "h": "socket",
}  # fmt: skip
_BITS = (0o400, 0o200, 0o100, 0o40, 0o20, 0o10, 0o4, 0o2, 0o1)
_SPECIAL = {2: 0o4000, 5: 0o2000, 8: 0o1000}


class Line(NamedTuple):
    """One file as listed."""

    name: bytes
    node: Node


def with_bodyfile(tree: Tree, listed: Source) -> Tree:
    """Return a tree of what was collected and what is only listed; attributes that a copy loses are the list's."""
    merged = BuiltTree("uac")
    merged.notes = tree.notes
    try:
        _take_all(tree, merged)
        for line in lines(listed):
            _take(merged, line)
    except BudgetError:
        merged.notes.miss("bodyfile", "budget", "entries")
    except ParseError as error:
        merged.notes.miss("bodyfile", "damaged", error.cause)
    return merged


def _take_all(tree: Tree, merged: BuiltTree) -> None:
    todo: list[tuple[bytes, Node]] = [(b"", tree.root)]
    seen: set[int] = set()
    while todo:
        path, folder = todo.pop()
        if id(folder) in seen:
            continue
        seen.add(id(folder))
        for name, node in tree.children(folder).items():
            place = path + b"/" + name
            taken = copy(node)
            taken.inode, taken.children = merged.number(), {} if node.kind == "directory" else None
            merged.add(place, taken)
            if node.kind == "directory":
                todo.append((place, node))


def _take(merged: BuiltTree, line: Line) -> None:
    known = merged.find(line.name)
    if known is None:
        line.node.inode = merged.number()
        merged.add(line.name, line.node)
        return
    known.uid, known.gid, known.mode = line.node.uid, line.node.gid, line.node.mode
    known.mtime, known.ctime, known.btime = line.node.mtime, line.node.ctime, line.node.btime


def lines(listed: Source) -> Iterator[Line]:
    """Yield the files listed; lines that make no sense are passed over."""
    kept = b""
    for at in range(0, listed.size, STEP):
        *whole, kept = (kept + listed.read_at(at, STEP)).split(b"\n")
        for line in whole:
            found = _line(line)
            if found is not None:
                yield found
        kept = kept if len(kept) <= MAX_LINE else b""
    found = _line(kept)
    if found is not None:
        yield found


def _line(line: bytes) -> Line | None:
    fields = line.rstrip(b"\r").split(b"|")
    if len(fields) < _FIELDS or len(line) > MAX_LINE:
        return None
    name = b"|".join(fields[1 : len(fields) - 9])  # a name may hold the mark itself
    _, mode, uid, gid, size, _, mtime, ctime, crtime = (field.decode("ascii", "replace") for field in fields[-9:])
    name, link = _name(name)
    if not name.startswith(b"/") or not mode:
        return None
    node = Node(_KINDS.get(mode[0], "file"), _mode(mode), _number(uid), _number(gid), _number(size))
    node.mtime, node.ctime, node.btime = _time(mtime) or 0.0, _time(ctime), _time(crtime)
    node.link = (link or b"") if node.kind == "symlink" else None
    node.children = {} if node.kind == "directory" else None
    return Line(name, node)


def _name(name: bytes) -> tuple[bytes, bytes | None]:
    plain, arrow, target = name.partition(b" -> ")
    return _unquoted(plain), _unquoted(target) if arrow else None


def _unquoted(name: bytes) -> bytes:
    for mark in (b"'", b'"'):
        if len(name) > 1 and name.startswith(mark) and name.endswith(mark):
            return name[1:-1]
    return name


def _mode(text: str) -> int:
    """Return the bits of `drwxr-sr-t` or of The Sleuth Kit's `d/drwxr-sr-t`."""
    letters = text[-9:] if len(text) >= 10 else ""
    bits = 0
    for index, letter in enumerate(letters):
        if letter not in "-ST":
            bits |= _BITS[index]
        if letter in "sStT":
            bits |= _SPECIAL.get(index, 0)
    return bits


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _time(text: str) -> float | None:
    whole, _, part = text.partition(".")
    value = _number(whole)
    return None if not value else value + (float("0." + part) if part.isascii() and part.isdigit() else 0.0)
