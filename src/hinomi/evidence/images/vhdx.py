"""Microsoft's VHDX. Format: [MS-VHDX] 8.0. A log that was not replayed is said, not replayed."""

from __future__ import annotations

import struct
from uuid import UUID

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import read_in_steps
from hinomi.evidence.kept import Kept
from hinomi.model.errors import ParseError

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
_HAS_PARENT = 2
_PRESENT, _PARTLY = 6, 7


class VhdxSource:
    """The disk inside a VHDX; `pending` says whether its log holds changes that are not seen here."""

    def __init__(self, source: Source) -> None:
        """Read headers and tables; `ParseError` for damage and for differencing disks."""
        self._source = source
        regions = self._regions()
        items = self._metadata(regions)
        block, flags = struct.unpack("<II", items[_FILE][:8])
        self.size = int.from_bytes(items[_SIZE][:8], "little")
        sector = int.from_bytes(items[_SECTOR][:4], "little")
        if not MIB <= block <= 256 * MIB or block & (block - 1) or sector not in (512, 4096):
            raise ParseError("image.damaged", cause="VHDX sizes")
        if flags & _HAS_PARENT:
            raise ParseError("image.unsupported", cause="a differencing VHDX: name the disk it is a layer over")
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
        if entry & 7 not in (_PRESENT, _PARTLY):
            return bytes(number)
        return self._source.read_at((entry >> 20) * MIB + inside, number)

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
