"""Classes that lie unpacked on disk: each decisive file looks at its neighbours, and one speaks for the copy."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.archives.visitor import MAX_CLASS
from hinomi.evidence.java.classfile import MAGIC, parse_class
from hinomi.evidence.java.copies import Copy, Evidence, decide
from hinomi.evidence.java.metadata import Claim, claims_of
from hinomi.evidence.java.sightings import Sighting, sight
from hinomi.evidence.java.traits import may_matter, trait_of
from hinomi.evidence.view import FileSystemView
from hinomi.model.errors import ParseError

MAX_NEIGHBOURS = 4_000
MAX_FOLDERS = 400
_METADATA = (
    b"META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties",
    b"META-INF/maven/log4j/log4j/pom.properties",
    b"META-INF/MANIFEST.MF",
)


def copies_beside(view: FileSystemView, path: bytes, data: bytes) -> list[Copy]:
    """Return the copies that the class file `path` speaks for; none where a neighbour does, or nothing is decided."""
    own = _sighting(path, data)
    if own is None:
        return []
    names: list[bytes] = []
    sightings = [own]
    for name in _neighbours(view, own):
        names.append(name)
        if name != own.entry and (other := _read(view, name)) is not None:
            sightings.append(other)
    copies = decide(Evidence(sightings, _claims(view, own), names))
    return [copy for copy in copies if copy.classes[:1] == (own.entry,)]


def _sighting(path: bytes, data: bytes) -> Sighting | None:
    try:
        cls = parse_class(data)
    except ParseError:
        return None
    trait = trait_of(cls)
    return sight(path, cls, trait) if trait is not None else None


def _read(view: FileSystemView, path: bytes) -> Sighting | None:
    try:
        data = view.read(path, MAX_CLASS)
    except OSError:
        return None
    return _sighting(path, data) if data[:4] == MAGIC and may_matter(data) else None


def _neighbours(view: FileSystemView, own: Sighting) -> Iterator[bytes]:
    """Yield files around a class: its folder, then the packages beside it."""
    folder = own.folder.rstrip(b"/") or b"/"
    folders, seen, count = [folder], {folder}, 0
    parent = folder.rsplit(b"/", 1)[0]
    if parent and (own.root is None or len(parent) >= len(own.root.rstrip(b"/"))):
        folders.append(parent)
        seen.add(parent)
    for folder in folders:
        for name in view.listdir(folder):
            count += 1
            if count > MAX_NEIGHBOURS:
                return
            path = folder.rstrip(b"/") + b"/" + name
            entry = view.entry(path)
            if entry is None:
                continue
            if entry.kind == "file" and entry.size <= MAX_CLASS:
                yield path
            elif entry.kind == "directory" and len(folders) > 1 and path not in seen and len(seen) < MAX_FOLDERS:
                seen.add(path)
                folders.append(path)


def _claims(view: FileSystemView, own: Sighting) -> list[Claim]:
    claims: list[Claim] = []
    for name in _METADATA if own.root else ():
        path = (own.root or b"") + name
        try:
            if view.entry(path) is not None:
                claims += claims_of(path, view.read(path, 65536))
        except OSError:
            continue
    return claims
