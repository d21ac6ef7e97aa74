"""Collections made on a host by other tools, mapped back to the places the files had there.

Layouts: UAC (`[root]/...` beside `live_response/`), Velociraptor's offline collector (`uploads/<accessor>/...`
with escaped names, sparse files beside their index), KAPE (`C/...` beside its logs). A collection is partial by nature,
and that is said: what it lacks may well have been on the host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.bodyfile import with_bodyfile
from hinomi.evidence.images.runs import Run, RunSource
from hinomi.evidence.images.tree import BuiltTree, Node, Notes, Tree
from hinomi.model.errors import ParseError

MAX_INDEX = 16 << 20
MAX_RANGES = 1 << 20
UAC_ROOT = b"[root]"
_VELOCIRAPTOR = frozenset({b"results", b"uploads.json", b"collection_context.json", b"client_info.json", b"log.json",
                           b"logs.json", b"requests.json"})  # fmt: skip
_WINDOWS = frozenset({b"windows", b"users", b"programdata", b"$extend", b"$mft", b"documents and settings"})
_DRIVE = re.compile(rb"(?:\\\\[.?]\\)?([A-Za-z]):?\\?")


class Collected(NamedTuple):
    """One file system of a collection by its label; the label of what the tool itself wrote is its name."""

    label: str
    tree: Tree


def collected(tree: Tree) -> list[Collected]:
    """Return the file systems of a collection, the one with a system first; empty where the tree is none."""
    try:
        for top in _tops(tree):
            for read in (_uac, _velociraptor, _kape):
                found = read(tree, top)
                if found:
                    return found
    except ParseError:
        return []  # whoever walks the tree says it
    return []


def _tops(tree: Tree) -> Iterator[Node]:
    """Yield the root, and the only folder in it: many pack a collection with the folder that holds it."""
    yield tree.root
    below = list(tree.children(tree.root).values())
    if len(below) == 1 and below[0].kind == "directory":
        yield below[0]


def _uac(tree: Tree, top: Node) -> list[Collected]:
    names = tree.children(top)
    root = names.get(UAC_ROOT)
    if root is None or root.kind != "directory":
        return []
    rest = {name: node for name, node in names.items() if name != UAC_ROOT}
    listed = _listed(tree, names.get(b"bodyfile"))
    below = _at(tree, root)
    found = below if listed is None else with_bodyfile(below, listed)
    return _with_rest("UAC", [Collected("", found)], rest)


def _listed(tree: Tree, folder: Node | None) -> Source | None:
    """Return the list of every file of the host that UAC makes, where it was made."""
    if folder is None or folder.kind != "directory":
        return None
    node = tree.children(folder).get(b"bodyfile.txt")
    return node.content() if node is not None and node.content is not None else None


def _kape(tree: Tree, top: Node) -> list[Collected]:
    names = tree.children(top)
    drives = {name: node for name, node in names.items() if node.kind == "directory" and _letter(name)}
    systems = [name for name, node in drives.items() if _WINDOWS & {n.lower() for n in tree.children(node)}]
    if not systems:
        return []
    order = sorted(drives, key=lambda name: (name not in systems, name))
    found = [Collected(f"{_letter(name)}:", _at(tree, drives[name])) for name in order]
    return _with_rest("KAPE", found, {name: node for name, node in names.items() if name not in drives})


def is_drive(name: bytes) -> bool:
    """Whether a folder's name is that of a drive."""
    return bool(_letter(name))


def _letter(name: bytes) -> str:
    """Return the drive that a folder stands for: `C`, `C:` or `C%3A`."""
    plain = unquote_to_bytes(name)
    return plain[:1].decode("ascii").upper() if len(plain) <= 2 and _DRIVE.fullmatch(plain) else ""


def _velociraptor(tree: Tree, top: Node) -> list[Collected]:
    names = tree.children(top)
    uploads = names.get(b"uploads")
    if uploads is None or uploads.kind != "directory" or not _VELOCIRAPTOR & names.keys():
        return []
    drives: dict[str, BuiltTree] = {}
    for accessor in tree.children(uploads).values():
        if accessor.kind == "directory":
            _take_uploads(tree, accessor, drives)
    order = sorted(drives, key=lambda drive: (not _has_system(drives[drive]), drive))
    rest = {name: node for name, node in names.items() if name != b"uploads"}
    return _with_rest("Velociraptor", [Collected(drive, drives[drive]) for drive in order], rest) if drives else []


def _has_system(tree: BuiltTree) -> bool:
    names = {name.lower() for name in tree.children(tree.root)}
    return b"windows" in names or b"etc" in names


def _take_uploads(tree: Tree, accessor: Node, drives: dict[str, BuiltTree]) -> None:
    """Put what one accessor fetched where it was; links are not followed, names are unescaped part by part."""
    todo: list[tuple[str, bytes, Node]] = [("", b"", accessor)]
    while todo:
        drive, prefix, folder = todo.pop()
        entries = tree.children(folder)
        for name, node in entries.items():
            plain = _plain_name(name)
            found = _DRIVE.fullmatch(plain) if not prefix and not drive and node.kind == "directory" else None
            if found is not None:
                todo.append((found[1].decode("ascii").upper() + ":", b"", node))
                continue
            if name.endswith(b".idx") and name[:-4] in entries:
                continue
            target = drives.setdefault(drive, BuiltTree("velociraptor"))
            place = prefix + b"/" + plain
            if node.kind == "directory":
                todo.append((drive, place, node))
            target.add(place, _placed(node, entries.get(name + b".idx"), target.number()))


def _plain_name(name: bytes) -> bytes:
    plain = unquote_to_bytes(name)
    return name if b"/" in plain or b"\0" in plain or plain in (b"", b".", b"..") else plain


def _placed(node: Node, index: Node | None, number: int) -> Node:
    placed = copy(node)
    placed.inode, placed.links, placed.children = number, 1, {} if node.kind == "directory" else None
    ranges = _ranges(index) if index is not None else []
    if ranges and node.content is not None:
        placed.size = max(start + length for start, length, _ in ranges)
        placed.content = partial(_spread, node.content, ranges, placed.size)
    return placed


def _ranges(index: Node) -> list[tuple[int, int, int | None]]:
    """Return (place in the original, length, place in the upload or None) of a sparse file's index."""
    try:
        body = json.loads(index.content().read_at(0, MAX_INDEX)) if index.content is not None else {}
        listed = body.get("ranges") or [] if isinstance(body, dict) else []
        return [_range(item) for item in listed[:MAX_RANGES]]
    except (ValueError, TypeError, KeyError, RecursionError, ParseError):
        return []


def _range(item: Mapping[str, Any]) -> tuple[int, int, int | None]:
    start, length = int(item.get("original_offset") or 0), int(item["length"])
    if start < 0 or length < 0:
        raise ValueError("negative")
    return start, length, int(item.get("file_offset") or 0) if item.get("file_length") else None


def _spread(content: Callable[[], Source], ranges: list[tuple[int, int, int | None]], size: int) -> Source:
    return RunSource(content(), [Run(*one) for one in ranges], size)


def _at(tree: Tree, root: Node) -> Tree:
    """Return the tree below one of its folders."""
    below = copy(tree)
    below.root, below.notes = root, Notes()
    return below


def _with_rest(tool: str, found: list[Collected], rest: Mapping[bytes, Node]) -> list[Collected]:
    """Say that the collection is partial, and add what the tool itself wrote as a tree of its own."""
    found[0].tree.notes.miss("", "partial", f"collected by {tool}: what is not here may be on the host")
    if rest:
        own = BuiltTree("collection")
        assert own.root.children is not None  # a built tree's root is a folder
        own.root.children.update(rest)
        found.append(Collected(f"{tool} output", own))
    return found
