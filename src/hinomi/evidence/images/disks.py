"""Files that hold a disk: virtual machines' disks and acquisitions."""

from __future__ import annotations

from hinomi.evidence.archives.budget import BudgetError
from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.beside import Beside
from hinomi.evidence.images.ewf import EwfSource
from hinomi.evidence.images.kinds import DISKS, recognise
from hinomi.evidence.images.qcow2 import Qcow2Source, backing_name
from hinomi.evidence.images.tree import Notes
from hinomi.evidence.images.vhd import open_vhd
from hinomi.evidence.images.vhdx import VhdxSource
from hinomi.evidence.images.vmdk import open_vmdk

MAX_LAYERS = 16


def disk_inside(kind: str, source: Source, beside: Beside, notes: Notes, layer: int = 0) -> Source:
    """Return the disk that a file of one of the `DISKS` kinds holds, what must be said of it noted.

    Raises `ParseError` for damage, encryption, and where a file it needs is not beside it.
    """
    if kind == "qcow2":
        return Qcow2Source(source, _below(source, beside, notes, layer))
    if kind == "vmdk":
        return open_vmdk(source, beside)
    if kind == "vhd":
        return open_vhd(source, lambda names: _parent(names, beside, notes, layer))
    if kind == "ewf":
        return EwfSource(source, beside)
    disk = VhdxSource(source, lambda names: _parent(names, beside, notes, layer))
    if disk.pending:
        notes.miss("", "changed", "VHDX log not replayed: the disk was in use")
    return disk


def _parent(names: list[bytes], beside: Beside, notes: Notes, layer: int) -> tuple[Source, Source] | None:
    """Return the parent's file and disk, by the first of its names that lies beside; None where none does."""
    if layer >= MAX_LAYERS:
        raise BudgetError("depth")
    for name in names:
        file = beside.open(name.replace(b"\\", b"/").rsplit(b"/", 1)[-1])
        kind = recognise(file) if file is not None else None
        if file is not None and kind in ("vhd", "vhdx") and kind is not None:
            return file, disk_inside(kind, file, beside, notes, layer + 1)
    return None


def _below(source: Source, beside: Beside, notes: Notes, layer: int) -> Source | None:
    """Return the backing disk of a qcow2 image, if it has one and it lies beside it."""
    name = backing_name(source)
    if not name:
        return None
    if layer >= MAX_LAYERS:
        raise BudgetError("depth")
    file = beside.open(name.rsplit(b"/", 1)[-1])
    kind = recognise(file) if file is not None else None
    if file is None or kind not in DISKS or kind is None:
        return file
    return disk_inside(kind, file, beside, notes, layer + 1)
