"""Microsoft's VHDX, differencing ones too. Format: [MS-VHDX] 8.0. A log that was not replayed is said, not replayed."""

from __future__ import annotations

import struct
from uuid import UUID

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.images.vhd import Parent, from_below, mixed
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError
from hinomi.model.text import printable

MIB = 1 << 20
HEADERS_AT = (64 << 10, 128 << 10)
REGIONS_AT = (192 << 10, 256 << 10)
MAX_ENTRIES = 2048
PAGE = 64 << 10  # of the block table
_BAT = UUID("2dc27766-f623-4200-9d64-115e9bfd4a08").bytes_le
_METADATA = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
_FILE = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
_SIZE = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
_SECTOR = UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f").bytes_le
_LOCATOR = UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c").bytes_le
_HAS_PARENT = 2
_MISSING, _UNDEFINED, _PRESENT, _PARTLY = 0, 1, 6, 7
MAX_KEYS = 64


class VhdxSource:
    """The disk inside a VHDX; `pending` says whether its log holds changes that are not seen here."""

    def __init__(self, source: Source, parent: Parent) -> None:
        """Read headers and tables; `ParseError` for damage and where the parent of a differencing disk is missing."""
        self._source = source
        regions = self._regions()
        items = self._metadata(regions)
        block, flags = struct.unpack("<II", items[_FILE][:8])
        self.size = int.from_bytes(items[_SIZE][:8], "little")
        sector = int.from_bytes(items[_SECTOR][:4], "little")
        if not MIB <= block <= 256 * MIB or block & (block - 1) or sector not in (512, 4096):
            raise ParseError("image.damaged", cause="VHDX sizes")
        self._below = _parent_of(items.get(_LOCATOR, b""), parent) if flags & _HAS_PARENT else None
        self._sector = sector
        self._block = block
        self._ratio = (1 << 23) * sector // block
        self._table_at, self._table_size = regions[_BAT]
        self._pages: Kept[bytes] = Kept(64)
        self.pending = self._has_log()

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes; blocks that are not present are zeros."""
        return read_in_steps(self.size, self._block, offset, length, self._piece)

    def _piece(self, index: int, inside: int, number: int) -> bytes:
        entry = self._entry(index + index // self._ratio)
        state, start = entry & 7, (entry >> 20) * MIB
        if state == _PARTLY and self._below is not None:
            return self._partly(index, start, inside, number)
        if state in (_PRESENT, _PARTLY):
            return self._source.read_at(start + inside, number)
        below = self._below if state in (_MISSING, _UNDEFINED) else None
        return from_below(below, index * self._block + inside, number)

    def _partly(self, index: int, start: int, inside: int, number: int) -> bytes:
        """Return bytes of a block of which some sectors are the parent's; a bitmap serves the blocks of one chunk."""
        chunk, nth = divmod(index, self._ratio)
        place = (self._entry(chunk * (self._ratio + 1) + self._ratio) >> 20) * MIB
        first = nth * self._block // self._sector
        size = -(-self._block // self._sector // 8) or 1
        bitmap = self._source.read_at(place + first // 8, size)
        step = self._sector // 512

        def is_here(one: int) -> bool:
            bit = one // step
            return bit >> 3 < len(bitmap) and bool(bitmap[bit >> 3] >> (bit & 7) & 1)

        return mixed(
            inside, number, is_here, lambda at, length: self._source.read_at(start + at, length),
            lambda at, length: from_below(self._below, index * self._block + at, length),
        )  # fmt: skip

    def _entry(self, index: int) -> int:
        at = index * 8
        if at + 8 > self._table_size:
            return 0
        page = at // PAGE
        raw = self._pages.get(page, lambda: self._source.read_at(self._table_at + page * PAGE, PAGE))
        return int.from_bytes(raw[at % PAGE : at % PAGE + 8], "little")

    def _regions(self) -> dict[bytes, tuple[int, int]]:
        for start in REGIONS_AT:
            raw = self._source.read_at(start, PAGE)
            if raw[:4] == b"regi":
                count = min(int.from_bytes(raw[8:12], "little"), MAX_ENTRIES - 1)
                listed = [struct.unpack_from("<16sQI", raw, 16 + 32 * n) for n in range(count) if len(raw) == PAGE]
                found = {guid: (at, size) for guid, at, size in listed}
                if _BAT in found and _METADATA in found:
                    return found
        raise ParseError("image.damaged", cause="VHDX regions")

    def _metadata(self, regions: dict[bytes, tuple[int, int]]) -> dict[bytes, bytes]:
        start, _ = regions[_METADATA]
        table = self._source.read_at(start, PAGE)
        if table[:8] != b"metadata" or len(table) < PAGE:
            raise ParseError("image.damaged", cause="VHDX metadata")
        found: dict[bytes, bytes] = {}
        for n in range(min(int.from_bytes(table[10:12], "little"), MAX_ENTRIES - 1)):
            guid, at, size = struct.unpack_from("<16sII", table, 32 + 32 * n)
            found[guid] = self._source.read_at(start + at, min(size, 4096))
        if any(len(found.get(guid, b"")) < least for guid, least in ((_FILE, 8), (_SIZE, 8), (_SECTOR, 4))):
            raise ParseError("image.damaged", cause="VHDX metadata")
        return found

    def _has_log(self) -> bool:
        heads = [raw for at in HEADERS_AT if (raw := self._source.read_at(at, 80))[:4] == b"head" and len(raw) == 80]
        newest = max(heads, key=lambda raw: raw[8:16][::-1], default=bytes(80))
        return bool(newest[48:64].strip(b"\0"))


def _parent_of(locator: bytes, parent: Parent) -> Source:
    """Return the disk that a differencing one is a layer over, and see that it is the right one."""
    said = _keys(locator)
    paths = [said[key] for key in ("relative_path", "volume_path", "absolute_win32_path") if said.get(key)]
    found = parent([path.encode("utf-8", "replace") for path in paths])
    if found is None:
        shown = printable(paths[0][-200:]) if paths else "no name"
        raise ParseError("image.incomplete", cause=f"the parent of a differencing VHDX is not beside it: {shown}")
    file, disk = found
    marks = {said.get(key, "").strip("{}").lower() for key in ("parent_linkage", "parent_linkage2")}
    heads = [file.read_at(at + 32, 16) for at in HEADERS_AT]
    if not any(str(UUID(bytes_le=raw)) in marks for raw in heads if len(raw) == 16):
        raise ParseError("image.incomplete", cause="what lies beside a differencing VHDX is not its parent")
    return disk


def _keys(locator: bytes) -> dict[str, str]:
    """Return what a parent locator says, by key."""
    found: dict[str, str] = {}
    count = min(int.from_bytes(locator[18:20], "little"), MAX_KEYS)
    for at in range(20, 20 + 12 * count, 12):
        if at + 12 > len(locator):
            break
        key, value, key_size, value_size = struct.unpack_from("<IIHH", locator, at)
        name = locator[key : key + key_size].decode("utf-16-le", "replace")
        found[name] = locator[value : value + value_size].decode("utf-16-le", "replace")
    return found
