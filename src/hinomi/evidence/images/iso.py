"""ISO 9660 as a tree, read in place, with Rock Ridge (modes, owners, links, long names) or Joliet names.

Formats: ECMA-119, IEEE P1281 (SUSP) and P1282 (RRIP) drafts.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from hinomi.evidence.archives.source import SliceSource, Source
from hinomi.evidence.images.tree import KINDS, Listing, Node, Notes
from hinomi.model.errors import ParseError

SECTOR = 2048
MAX_FOLDER = 16 << 20
MAX_FOLDERS = 100_000
FILES = 1 << 33  # numbers of files, beyond those of sectors
MAX_AREAS = 32  # continuations of one record's extensions
_DIRECTORY, _MORE = 0x02, 0x80


@dataclass(slots=True)
class _Extensions:
    """What Rock Ridge says of one record."""

    name: bytes = b""
    link: list[bytes] = field(default_factory=list)
    mode: int | None = None
    links: int = 1
    uid: int = 0
    gid: int = 0
    mtime: float | None = None
    child: int | None = None  # a folder that was moved up: where it really is
    moved: bool = False  # the place it was moved to


class IsoTree:
    """An ISO image (implements `Tree`)."""

    kind = "iso"

    def __init__(self, source: Source) -> None:
        """Read the volume descriptors; `ParseError` where there is none."""
        self.source = source
        self.notes = Notes()
        self._lock = Lock()
        self._listing = Listing()
        self._numbers = 1
        self._folders: dict[int, dict[bytes, Node]] = {}
        self._places: dict[int, tuple[int, int]] = {}
        volumes = self._volumes()
        if not volumes:
            raise ParseError("image.damaged", cause="no ISO volume descriptor")
        plain = volumes.get(False)
        self._joliet = plain is None or (True in volumes and not self._is_rock_ridge(plain))
        self.root = Node("directory", 0o755, inode=1)
        self._places[1] = volumes[self._joliet] if self._joliet in volumes else next(iter(volumes.values()))

    def children(self, node: Node) -> Mapping[bytes, Node]:
        """Return a folder's entries by name."""
        with self._lock:
            known = self._folders.get(node.inode)
            if known is None:
                if len(self._folders) > MAX_FOLDERS:
                    raise ParseError("image.budget", cause="too many folders")
                known = self._folders[node.inode] = self._list(*self._places[node.inode])
            return known

    def _volumes(self) -> dict[bool, tuple[int, int]]:
        found: dict[bool, tuple[int, int]] = {}
        for sector in range(16, 48):
            block = self.source.read_at(sector * SECTOR, SECTOR)
            if block[1:6] != b"CD001" or block[0] == 255:
                break
            joliet = block[0] == 2 and block[88:91] in (b"%/@", b"%/C", b"%/E")
            if block[0] == 1 or joliet:
                found[joliet] = int.from_bytes(block[158:162], "little"), int.from_bytes(block[166:170], "little")
        return found

    def _is_rock_ridge(self, place: tuple[int, int]) -> bool:
        """Whether the root's own record carries Rock Ridge's modes."""
        first = self.source.read_at(place[0] * SECTOR, SECTOR)
        return b"PX" in first[34 : first[0]] if first else False

    def _list(self, extent: int, size: int) -> dict[bytes, Node]:
        self._listing.spend(min(size, MAX_FOLDER))
        data = self.source.read_at(extent * SECTOR, min(size, MAX_FOLDER))
        found: dict[bytes, Node] = {}
        parts: list[tuple[int, int]] = []
        for record in _records(data):
            if record[33 : 33 + record[32]] in (b"\0", b"\1"):
                continue
            place = int.from_bytes(record[2:6], "little"), int.from_bytes(record[10:14], "little")
            parts.append(place)
            if record[25] & _MORE:  # a file in several extents
                continue
            node, name = self._node(record, parts)
            parts = []
            if node is not None and name not in (b"", b".", b"..") and b"/" not in name:
                found[name] = node
        return found

    def _node(self, record: bytes, parts: list[tuple[int, int]]) -> tuple[Node | None, bytes]:
        said = self._extensions(record)
        if said.moved:
            return None, b""
        self._numbers += 1
        folder = bool(record[25] & _DIRECTORY) or said.child is not None
        kind = KINDS.get((said.mode or 0) & 0o170000, "directory" if folder else "file")
        mode = said.mode & 0o7777 if said.mode is not None else (0o755 if folder else 0o644)
        node = Node("directory" if folder else kind, mode, said.uid, said.gid, inode=FILES + self._numbers)
        node.links = 1 if kind == "file" else said.links
        node.mtime = _time(record[18:25]) if said.mtime is None else said.mtime
        if node.kind == "directory":
            place = self._moved(said.child) if said.child is not None else parts[0]
            node.inode = place[0] + 2  # a folder is its place: one inside itself shows
            self._places.setdefault(node.inode, place)
        elif node.kind == "symlink":
            node.link = b"/".join(said.link).replace(b"//", b"/")
            node.size = len(node.link)
        elif node.kind == "file":
            node.size = sum(size for _, size in parts)
            node.content = partial(SliceSource, self.source, parts[0][0] * SECTOR, node.size)
        return node, said.name or self._name(record)

    def _moved(self, extent: int) -> tuple[int, int]:
        first = self.source.read_at(extent * SECTOR, 34)
        return extent, int.from_bytes(first[10:14], "little")

    def _name(self, record: bytes) -> bytes:
        name = record[33 : 33 + record[32]]
        if self._joliet:
            name = name.decode("utf-16-be", "replace").encode("utf-8", "replace")
        return name.split(b";")[0].rstrip(b".")

    # --- Rock Ridge -----------------------------------------------------------------------------------------------

    def _extensions(self, record: bytes) -> _Extensions:
        said = _Extensions()
        area = record[33 + record[32] + (1 - record[32] % 2) :]
        for _ in range(MAX_AREAS):
            following = _read_area(area, said)
            if following is None:
                break
            area = self.source.read_at(*following)
        return said


def _read_area(area: bytes, said: _Extensions) -> tuple[int, int] | None:
    """Take one area's entries; return where the next area is."""
    following: tuple[int, int] | None = None
    at = 0
    while at + 4 <= len(area) and area[at + 2] >= 4:
        tag, body = area[at : at + 2], area[at + 4 : at + area[at + 2]]
        at += area[at + 2]
        if tag == b"CE" and len(body) >= 24:
            block, offset, size = (int.from_bytes(body[n : n + 4], "little") for n in (0, 8, 16))
            following = block * SECTOR + offset, min(size, SECTOR)
        elif tag == b"ST":
            break
        else:
            _take(tag, body, said)
    return following


def _take(tag: bytes, body: bytes, said: _Extensions) -> None:
    if tag == b"NM" and body and not body[0] & 6:
        said.name += body[1:]
    elif tag == b"PX" and len(body) >= 32:
        said.mode, said.links, said.uid, said.gid = (int.from_bytes(body[n : n + 4], "little") for n in (0, 8, 16, 24))
    elif tag == b"SL":
        _take_link(body[1:], said)
    elif tag == b"TF" and body:
        said.mtime = _modified(body)
    elif tag == b"CL":
        said.child = int.from_bytes(body[:4], "little")
    elif tag == b"RE":
        said.moved = True


def _take_link(components: bytes, said: _Extensions) -> None:
    at = 0
    while at + 2 <= len(components):
        flags, length = components[at], components[at + 1]
        text = components[at + 2 : at + 2 + length]
        at += 2 + length
        said.link.append({2: b".", 4: b"..", 8: b""}.get(flags & 0x0E, text))


def _modified(body: bytes) -> float | None:
    """Return the modification time of a TF entry; the creation time stands before it where it is given."""
    size = 17 if body[0] & 0x80 else 7
    at = 1 + size * (body[0] & 1)
    return _time(body[at : at + 7]) if body[0] & 2 and size == 7 else None


def _records(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + 34 <= len(data):
        length = data[at]
        if not length:
            at = (at // SECTOR + 1) * SECTOR  # records don't cross sectors
            continue
        record = data[at : at + length]
        at += length
        if len(record) < 34 or 33 + record[32] > len(record):
            return
        yield record


def _time(raw: bytes) -> float:
    try:
        zone = raw[6] - 256 if raw[6] > 127 else raw[6]
        return float(calendar.timegm((1900 + raw[0], max(1, raw[1]), max(1, raw[2]), *raw[3:6], 0, 0, 0)) - zone * 900)
    except (ValueError, OverflowError, IndexError):
        return 0.0
