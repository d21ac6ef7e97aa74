from collections.abc import Sequence

from hinomi.evidence.view import Entry

REPLACED: int
CHANGES: int
TOO_LARGE: int
NOT_REGULAR: int
STOPPED: int
GROWS: int

Answer = tuple[int, int | None, bytes | None, bytes | None, bytes | None, dict[str, bytes] | None, int | None]

def read_files(
    items: Sequence[tuple[int, Entry, int]], place: bytearray, limit: int, head: int, whole: int, with_flags: bool, /
) -> list[Answer]: ...
