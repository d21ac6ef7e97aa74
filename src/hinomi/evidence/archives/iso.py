"""ISO 9660 images: the files of the primary (or Joliet) volume, read in place. Format: ECMA-119."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.evidence.archives.members import Member, Members
from hinomi.evidence.archives.source import Source, stream_of
from hinomi.model.errors import ParseError

SECTOR = 2048
MAX_DIRECTORY = 16 << 20
MAX_FOLDERS = 100_000


def read_iso(source: Source) -> Members:
    """Yield every file once, folders in breadth; `ParseError` where no volume descriptor can be read."""
    joliet, root = _volume(source)
    folders = [(b"", *root)]
    seen = {root[0]}
    for folder, extent, size in folders:
        for name, flags, at, length in _records(source, extent, size, joliet):
            path = folder + name
            if not flags & 2:
                yield Member(path, length, stream_of(source, at * SECTOR, length))
            elif at not in seen and len(seen) < MAX_FOLDERS:
                seen.add(at)
                folders.append((path + b"/", at, length))


def _volume(source: Source) -> tuple[bool, tuple[int, int]]:
    found: dict[bool, tuple[int, int]] = {}
    for sector in range(16, 48):
        block = source.read_at(sector * SECTOR, SECTOR)
        if block[1:6] != b"CD001" or block[0] == 255:
            break
        joliet = block[0] == 2 and block[88:91] in (b"%/@", b"%/C", b"%/E")
        if block[0] == 1 or joliet:
            found[joliet] = int.from_bytes(block[158:162], "little"), int.from_bytes(block[166:170], "little")
    if not found:
        raise ParseError("archive.damaged", cause="no ISO volume descriptor")
    return max(found.items())


def _records(source: Source, extent: int, size: int, joliet: bool) -> Iterator[tuple[bytes, int, int, int]]:
    data = source.read_at(extent * SECTOR, min(size, MAX_DIRECTORY))
    position = 0
    while position + 34 <= len(data):
        length = data[position]
        if not length:
            position = (position // SECTOR + 1) * SECTOR  # records don't cross sectors
            continue
        record = data[position : position + length]
        position += length
        if len(record) < 34:
            return
        name = record[33 : 33 + record[32]]
        if name in (b"\x00", b"\x01"):
            continue
        if joliet:
            name = name.decode("utf-16-be", "replace").encode()
        at, plain = int.from_bytes(record[2:6], "little"), int.from_bytes(record[10:14], "little")
        yield name.split(b";")[0], record[25], at, plain
