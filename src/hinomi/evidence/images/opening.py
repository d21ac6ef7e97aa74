"""From bytes to trees: recognise, unpack what is compressed, open, and say what stays closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.kinds import STREAMS
from hinomi.evidence.archives.source import Source, stream_of
from hinomi.evidence.archives.streams import decompressed
from hinomi.evidence.images.cpio import read_cpio_tree
from hinomi.evidence.images.disk import spooled
from hinomi.evidence.images.disks import Qcow2Source, partition_source, partitions_of
from hinomi.evidence.images.ext import ExtTree
from hinomi.evidence.images.fat import FatTree
from hinomi.evidence.images.iso import IsoTree
from hinomi.evidence.images.kinds import OPENED, recognise
from hinomi.evidence.images.layers import is_container, open_images
from hinomi.evidence.images.members import read_members_tree, read_zip_tree
from hinomi.evidence.images.squash import SquashTree
from hinomi.evidence.images.tar import read_tar_tree
from hinomi.evidence.images.tree import BuiltTree, Notes, Tree
from hinomi.model.errors import ParseError

MAX_WRAPPERS = 6  # compressions and disks around a file system
MIN_UNPACKED = 4 << 30
MAX_UNPACKED = 64 << 30
RATIO = 64


@dataclass(slots=True)
class Allowance:
    """What opening one target may cost: bytes unpacked in all, and the folder for temporary files."""

    bytes_left: int
    work: str | None = None

    @classmethod
    def for_size(cls, size: int, work: str | None = None) -> Allowance:
        """Return the allowance for a file of that size."""
        return cls(min(MAX_UNPACKED, max(MIN_UNPACKED, RATIO * size)), work)

    def unpack(self, kind: str, source: Source) -> Source:
        """Return a compressed stream's plain content; `BudgetError` when too much has been unpacked."""
        plain = spooled(decompressed(kind, stream_of(source)), self.bytes_left, self.work)  # type: ignore[arg-type]
        self.bytes_left -= plain.size
        return plain


class Opened(NamedTuple):
    """One tree of a file. `label` names it among several (a partition, an image of several); else it is empty."""

    label: str
    tree: Tree


def open_trees(source: Source, allowance: Allowance, kind: str | None = None) -> list[Opened]:
    """Open an image; the first tree is the one the file stands for (the root file system among partitions).

    `kind` overrides what the content says. Raises `ParseError` with a code image.* or archive.* and the cause in words.
    """
    return _open(source, allowance, kind, 0)


def _open(source: Source, allowance: Allowance, kind: str | None, depth: int) -> list[Opened]:
    found = kind or recognise(source)
    if depth > MAX_WRAPPERS:
        raise BudgetError("depth")
    if found is None:
        raise ParseError("image.unknown", cause="no image or archive that is known here")
    if found in STREAMS:
        return _open(allowance.unpack(found, source), allowance, None, depth + 1)
    if found == "qcow2":
        return _open(Qcow2Source(source), allowance, None, depth + 1)
    if found == "disk":
        return _open_disk(source, allowance, depth)
    if found in ("tar", "oci"):
        return _open_tar(source, allowance)
    if found in ("rpm", "ar"):
        return _open_package(found, source, allowance, depth)
    opener = _openers(allowance).get(found)
    if opener is None:
        raise ParseError("image.unsupported", cause=f"{found} is not opened here")
    return [Opened("", opener(source))]


def _openers(allowance: Allowance) -> dict[str, Callable[[Source], Tree]]:
    limit, work = allowance.bytes_left, allowance.work
    return {
        "ext": ExtTree,
        "squashfs": SquashTree,
        "fat": FatTree,
        "cpio": lambda source: read_cpio_tree(source, limit, work),
        "zip": lambda source: read_zip_tree(source, limit, work),
        "7z": lambda source: read_members_tree("7z", source, limit, work),
        "iso": IsoTree,
    }


def _open_tar(source: Source, allowance: Allowance) -> list[Opened]:
    tree = read_tar_tree(source)
    if not tree.root.children:
        raise ParseError("image.damaged", cause=tree.notes.missed[0][2] if tree.notes.missed else "an empty tar")
    if not is_container(tree):
        return [Opened("", tree)]
    images = open_images(tree, lambda layer: _open_layer(layer, allowance))
    only = len(images) == 1
    return [Opened("" if only else name, image) for name, image in images]


def _open_layer(source: Source, allowance: Allowance) -> BuiltTree:
    for _ in range(MAX_WRAPPERS):
        kind = recognise(source)
        if kind in STREAMS and kind is not None:
            source = allowance.unpack(kind, source)
        elif kind == "tar" or not source.read_at(0, 1024).strip(b"\0"):
            return read_tar_tree(source)
        else:
            break
    raise ParseError("image.unsupported", cause="a layer that is no tar")


def _open_package(kind: str, source: Source, allowance: Allowance, depth: int) -> list[Opened]:
    """A package stands for the tree it would install; the rest of it stays reachable beside."""
    tree = read_members_tree(kind, source, allowance.bytes_left, allowance.work)
    names = sorted(tree.root.children or {})
    inner = next((n for n in names if n == b"payload" or n.startswith(b"data.tar")), None)
    node = tree.find(inner) if inner is not None else None
    if node is None or node.content is None or (kind == "ar" and b"debian-binary" not in names):
        return [Opened("", tree)]
    opened = _open(node.content(), allowance, None, depth + 1)
    if kind == "rpm" or node.size == 0:
        return opened
    return [*opened, Opened("control", tree)]


def _open_disk(source: Source, allowance: Allowance, depth: int) -> list[Opened]:
    """Open every partition that can be; the one with a Linux root comes first and stands for the disk."""
    opened: list[Opened] = []
    closed = Notes()
    for partition in partitions_of(source):
        part = partition_source(source, partition)
        name = f"p{partition.number}"
        try:
            for inner in _open(part, allowance, None, depth + 1):
                opened.append(Opened(f"{name} {inner.label}".strip(), inner.tree))
        except ParseError as error:
            if error.code != "image.unknown" or part.read_at(0, 1 << 16).strip(b"\0"):
                closed.miss(name, reason_of(error), error.cause)
    if not opened:
        causes = "; ".join(f"{name}: {cause}" for name, _, cause in closed.missed[:5])
        raise ParseError("image.unsupported", cause=causes or "no partition holds a file system")
    opened.sort(key=lambda item: not looks_like_root(item.tree))
    for place, reason, detail in closed.missed:
        opened[0].tree.notes.miss(place, reason, detail)
    return [Opened("", opened[0].tree), *opened[1:]] if looks_like_root(opened[0].tree) else opened


def looks_like_root(tree: Tree) -> bool:
    """Whether a tree is laid out as the root of a system: etc beside programs, or Windows, or an init program."""
    try:
        names = {name.lower() for name in tree.children(tree.root)}
    except ParseError:
        return False
    programs = names & {b"bin", b"sbin", b"usr", b"lib", b"init"}
    return bool((b"etc" in names and programs) or b"windows" in names or len(programs) >= 3)


def reason_of(error: ParseError) -> str:
    """Map an error's code to the coverage's reason."""
    last = error.code.rsplit(".", 1)[-1]
    known = ("truncated", "encrypted", "unsupported", "unreadable", "budget", "unknown")
    return last if last in known else "damaged"


__all__ = ["OPENED", "Allowance", "Opened", "looks_like_root", "open_trees", "reason_of"]
