"""From bytes to trees: recognise, unpack what is compressed, open, and say what stays closed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.kinds import STREAMS
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.allowance import Allowance
from hinomi.evidence.images.beside import Alone, Beside
from hinomi.evidence.images.btrfs import BtrfsTree
from hinomi.evidence.images.collection import collected
from hinomi.evidence.images.cpio import read_cpio_tree
from hinomi.evidence.images.disks import disk_inside
from hinomi.evidence.images.erofs import ErofsTree
from hinomi.evidence.images.exfat import ExfatTree
from hinomi.evidence.images.ext import ExtTree
from hinomi.evidence.images.fat import FatTree
from hinomi.evidence.images.foreign import ForeignTree, open_foreign
from hinomi.evidence.images.fortios import ROOT, fortios_tree, is_locked_root
from hinomi.evidence.images.iso import IsoTree
from hinomi.evidence.images.jffs2 import Jffs2Tree
from hinomi.evidence.images.kinds import DISKS, OPENED, recognise
from hinomi.evidence.images.layers import is_container, open_images
from hinomi.evidence.images.lvm import PhysicalVolume, read_physical, volumes_of
from hinomi.evidence.images.members import read_members_tree, read_zip_tree
from hinomi.evidence.images.ntfs import NtfsTree
from hinomi.evidence.images.partitions import partition_source, partitions_of
from hinomi.evidence.images.squash import SquashTree
from hinomi.evidence.images.tar import read_tar_tree
from hinomi.evidence.images.tree import BuiltTree, Notes, Tree, as_damage, reason_of
from hinomi.evidence.images.ubi import volumes_of as ubi_volumes
from hinomi.evidence.images.ubifs import UbifsTree
from hinomi.evidence.images.xfs import XfsTree
from hinomi.evidence.outside import dissect
from hinomi.model.errors import ParseError
from hinomi.model.text import path_text, printable

MAX_WRAPPERS = 6  # compressions and disks around a file system
_FILE_SYSTEMS: dict[str, Callable[[Source], Tree]] = {
    "ext": ExtTree,
    "squashfs": SquashTree,
    "fat": FatTree,
    "exfat": ExfatTree,
    "iso": IsoTree,
    "xfs": XfsTree,
    "ubifs": UbifsTree,
    "jffs2": Jffs2Tree,
    "ntfs": NtfsTree,
    "erofs": ErofsTree,
}


class _Part(NamedTuple):
    """A partition or volume by its name; `source` is None where it stays closed, and `cause` says why."""

    name: str
    source: Source | None
    cause: str = ""


_SPLIT: dict[str, Callable[[Source], list[_Part]]] = {
    "disk": lambda source: [_Part(f"p{one.number}", partition_source(source, one)) for one in partitions_of(source)],
    "lvm": lambda source: [_Part("", source)],
    "ubi": lambda source: [_Part(*volume) for volume in ubi_volumes(source)],
}


class Opened(NamedTuple):
    """One tree of a file. `label` names it among several (a partition, an image of several); else it is empty."""

    label: str
    tree: Tree


def open_trees(
    source: Source, allowance: Allowance, kind: str | None = None, beside: Beside | None = None
) -> list[Opened]:
    """Open an image; the first tree is the one the file stands for (the root file system among partitions).

    `kind` overrides what the content says; `beside` finds the further files of a split image.
    A collection of another tool gives the file systems it was made from.
    Raises `ParseError` with a code image.* or archive.* and the cause in words.
    """
    with as_damage():
        opened = _open(source, allowance, kind, beside or Alone(), 0)
    found = [Opened(*one) for one in collected(opened[0].tree)]
    if not found:
        return opened
    _move_notes(opened[0].tree.notes, found[0].tree.notes)
    return [Opened("", found[0].tree), *found[1:], *opened[1:]]


def _open(source: Source, allowance: Allowance, kind: str | None, beside: Beside, depth: int) -> list[Opened]:
    found = kind or recognise(source)
    if depth > MAX_WRAPPERS:
        raise BudgetError("depth")
    if found is None:
        raise ParseError("image.unknown", cause="no image or archive that is known here")
    if found in STREAMS:
        return _open_packed(found, source, allowance, depth)
    if found in DISKS:
        return _open_image_of_disk(found, source, allowance, beside, depth)
    if found in _SPLIT:
        return _with_root(_open_parts(_SPLIT[found](source), allowance, depth), source)
    if found in ("tar", "oci"):
        return _open_tar(source, allowance)
    if found in ("rpm", "ar"):
        return _open_package(found, source, allowance, depth)
    if found == "btrfs":
        return _open_btrfs(source)
    if found in dissect.KINDS:
        return _open_outside(found, source, allowance, depth)
    return [Opened("", _open_tree(found, source, allowance))]


def _open_packed(found: str, source: Source, allowance: Allowance, depth: int) -> list[Opened]:
    """Unpack; an initial RAM disk may go on after its compressed archive, so that one is read as the row it is."""
    plain = allowance.unpack(found, source)
    if recognise(plain) == "cpio":
        return [Opened("", _open_tree("cpio", source, allowance))]
    return _open(plain, allowance, None, Alone(), depth + 1)


def _open_tree(kind: str, source: Source, allowance: Allowance) -> Tree:
    if kind in _FILE_SYSTEMS:
        return _FILE_SYSTEMS[kind](source)
    if kind == "cpio":
        return read_cpio_tree(source, allowance.bytes_left, allowance.work)
    if kind == "zip":
        return read_zip_tree(source, allowance.bytes_left, allowance.work)
    if kind in ("7z", "rar"):
        return read_members_tree(kind, source, allowance.bytes_left, allowance.work)
    raise ParseError("image.unsupported", cause=f"{kind} is not opened here")


def _open_btrfs(source: Source) -> list[Opened]:
    """A system's root is often a subvolume of its own: it comes first, and the top level without it."""
    top = BtrfsTree(source)
    if looks_like_root(top):
        return [Opened("", top)]
    roots = [(name, tree) for name, tree in top.roots() if looks_like_root(tree)]
    for name, _ in roots:
        top.leave_out(name)
    only = len(roots) == 1
    opened = [Opened("" if only else printable(path_text(name)), tree) for name, tree in roots]
    return [*opened, Opened("top level", top)] if roots else [Opened("", top)]


def _open_outside(kind: str, source: Source, allowance: Allowance, depth: int) -> list[Opened]:
    """Open what only dissect opens; a volume that it unlocks is read here."""
    opened: list[Opened] = []
    closed = Notes()
    for name, found in open_foreign(kind, source):
        if found is None:
            closed.miss(name, "encrypted", kind)
        elif isinstance(found, ForeignTree):
            opened.append(Opened(printable(name), found))
        else:
            opened += _open(found, allowance, None, Alone(), depth + 1)
    if not opened:
        raise ParseError("image.encrypted" if closed.missed else "image.unknown", cause=f"nothing of the {kind} opens")
    opened.sort(key=lambda item: not looks_like_root(item.tree))
    _move_notes(closed, opened[0].tree.notes)
    return [Opened("", opened[0].tree), *opened[1:]]


def _with_root(opened: list[Opened], disk: Source) -> list[Opened]:
    """Put the root of an appliance that keeps it encrypted before the partitions of its disk."""
    for boot in (one for one in opened if is_locked_root(one.tree)):
        try:
            root = fortios_tree(disk)
        except ParseError as error:
            boot.tree.notes.miss(ROOT.decode(), reason_of(error), error.cause)
            continue
        return [Opened("", root), *(one if one.label else Opened("boot", one.tree) for one in opened)]
    return opened


def _open_image_of_disk(kind: str, source: Source, allowance: Allowance, beside: Beside, depth: int) -> list[Opened]:
    notes = Notes()
    opened = _open(disk_inside(kind, source, beside, notes), allowance, None, Alone(), depth + 1)
    _move_notes(notes, opened[0].tree.notes)
    return opened


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
    opened = _open(node.content(), allowance, None, Alone(), depth + 1)
    if kind == "rpm" or node.size == 0:
        return opened
    return [*opened, Opened("control", tree)]


def _open_parts(parts: Iterable[_Part], allowance: Allowance, depth: int) -> list[Opened]:
    """Open every partition and volume that can be; the one with a Linux root comes first and stands for the disk."""
    opened: list[Opened] = []
    closed = Notes()
    physical: list[PhysicalVolume] = []
    for part in parts:
        if part.source is not None and recognise(part.source) == "lvm":
            physical += _physical(part, closed)
        else:
            _open_part(part, allowance, depth, opened, closed)
    for volume in _volumes(physical, closed):
        _open_part(volume, allowance, depth, opened, closed)
    if not opened:
        causes = "; ".join(f"{name}: {cause}" for name, _, cause in closed.missed[:5])
        raise ParseError("image.unsupported", cause=causes or "no partition holds a file system")
    opened.sort(key=lambda item: not looks_like_root(item.tree))
    _move_notes(closed, opened[0].tree.notes)
    return [Opened("", opened[0].tree), *opened[1:]] if looks_like_root(opened[0].tree) else opened


def _physical(part: _Part, closed: Notes) -> list[PhysicalVolume]:
    try:
        assert part.source is not None  # it was recognised
        return [read_physical(part.source)]
    except ParseError as error:
        closed.miss(part.name, reason_of(error), error.cause)
        return []


def _volumes(physical: list[PhysicalVolume], closed: Notes) -> list[_Part]:
    try:
        return [_Part(*volume) for volume in volumes_of(physical)]
    except ParseError as error:
        closed.miss("lvm", reason_of(error), error.cause)
        return []


def _open_part(part: _Part, allowance: Allowance, depth: int, opened: list[Opened], closed: Notes) -> None:
    if part.source is None:
        closed.miss(part.name, "unsupported", part.cause)
        return
    try:
        for inner in _open(part.source, allowance, None, Alone(), depth + 1):
            opened.append(Opened(f"{part.name} {inner.label}".strip(), inner.tree))
    except ParseError as error:
        if error.code != "image.unknown" or part.source.read_at(0, 1 << 16).strip(b"\0"):
            closed.miss(part.name, reason_of(error), error.cause)


def _move_notes(notes: Notes, to: Notes) -> None:
    """Say of one tree what was noted of another, or before there was one."""
    to.skipped.update(notes.skipped)
    for place, reason, detail in notes.missed:
        to.miss(place, reason, detail)


def looks_like_root(tree: Tree) -> bool:
    """Whether a tree is laid out as the root of a system: etc beside programs, or Windows, or an init program."""
    try:
        names = {name.lower() for name in tree.children(tree.root)}
    except ParseError:
        return False
    programs = names & {b"bin", b"sbin", b"usr", b"lib", b"init"}
    return bool((b"etc" in names and programs) or b"windows" in names or len(programs) >= 3)


__all__ = ["OPENED", "Allowance", "Opened", "looks_like_root", "open_trees", "reason_of"]
