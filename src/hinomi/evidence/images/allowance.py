"""What opening a target may cost."""

from __future__ import annotations

from dataclasses import dataclass

from hinomi.evidence.archives.source import Source, stream_of
from hinomi.evidence.archives.streams import decompressed
from hinomi.evidence.images.disk import spooled

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
