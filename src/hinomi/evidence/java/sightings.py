"""A decisive class where it was seen, and whether a class loader could load it from there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hinomi.evidence.java.classfile import ClassFile
from hinomi.evidence.java.traits import Trait

_CLASS = b".class"
_VERSIONS = b"META-INF/versions/"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One decisive class: the member's name, what it is, the class path root it stands under (None: none fits)."""

    entry: bytes
    name: bytes
    superclass: bytes | None
    trait: Trait
    references: frozenset[bytes]
    root: bytes | None
    suffix: bytes

    @property
    def folder(self) -> bytes:
        """The folder of the member, with its slash."""
        return self.entry[: self.entry.rfind(b"/") + 1]


def sight(entry: bytes, cls: ClassFile, trait: Trait) -> Sighting:
    """Make a sighting of a class found as member `entry`."""
    name = cls.name or b""
    path = entry.replace(b"\\", b"/")
    dot = path.rfind(b".")
    stem, suffix = (path[:dot], path[dot:]) if dot > path.rfind(b"/") else (path, b"")
    return Sighting(path, name, cls.superclass, trait, cls.classes, _root(stem, name), suffix)


def _root(stem: bytes, name: bytes) -> bytes | None:
    """Return what stands before the class's own path; multi-release folders belong to the root above them."""
    if not name or not stem.endswith(name) or (len(stem) > len(name) and stem[-len(name) - 1] != 0x2F):
        return None
    root = stem[: -len(name)]
    at = root.find(_VERSIONS)
    return root[:at] if at >= 0 else root


def loadable(sighting: Sighting, names: Iterable[bytes], others: Iterable[Sighting]) -> bool:
    """Whether a class loader can load the class from where it stands.

    `JndiLookup.class` renamed to `.bak`, or moved out of its package, is switched off; the same suffix on all its
    siblings (agents hide their classes as `.esclazz` or `.classdata`) is not. A class that stands quite alone, in
    whatever place, is taken as one that somebody put there to be loaded.
    """
    if sighting.root is not None and sighting.suffix == _CLASS:
        return True
    if sighting.root is None:
        if any(other.root is not None for other in others):
            return False
        folder, usual = sighting.folder, sighting.suffix == _CLASS
        return not any(n.endswith(_CLASS) and not (usual and n.startswith(folder)) for n in names)
    return _suffix_is_usual(sighting, names)


def _suffix_is_usual(sighting: Sighting, names: Iterable[bytes]) -> bool:
    root, folder = sighting.root or b"", sighting.folder
    same = classes = same_here = classes_here = 0
    for name in names:
        if not name.startswith(root):
            continue
        here = name.startswith(folder) and b"/" not in name[len(folder) :]
        if name.endswith(_CLASS):
            classes += 1
            classes_here += here
        elif sighting.suffix and name.endswith(sighting.suffix):
            same += 1
            same_here += here
    return (same >= 2 or classes == 0) and same_here >= classes_here
