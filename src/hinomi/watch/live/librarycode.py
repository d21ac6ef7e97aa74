"""The code of one large library, held in memory only in those pieces that are used.

The kernel maps what lies around a page that is asked for as well, since version 6.18 as much as its page cache holds in
one piece: of the 50 MiB of the SQL engine's code the first row that is put into a table brings 36, of which a question
uses 10 to 18. It never goes beyond one mapping; so the library's are cut into small ones.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from pathlib import Path

GRAIN = 16 << 10  # bytes of one mapping; every mapping costs the kernel 200 bytes
_MADV_DONTNEED = 4
_MADV_DONTDUMP = 16
Span = tuple[int, int]


class LibraryCode:
    """What is mapped read-only from one library's file, which must stay loaded as long as this is used."""

    def __init__(self, library: Path) -> None:
        """Cut it into pieces. Never raises: where the kernel does not tell or allow, there is less to gain."""
        self._libc = ctypes.CDLL(None)
        self._spans = list(_intact(str(library)))
        for span in self._spans:
            self._cut(span)

    def _cut(self, span: Span) -> None:
        """Tell every second piece from its neighbours, so that they are mappings of their own.

        The difference is that a core dump leaves the piece out: it stands in the library's file.
        """
        grain = max(GRAIN, mmap.PAGESIZE)
        for start in range(span[0], span[1], 2 * grain):
            if self._advise((start, min(start + grain, span[1])), _MADV_DONTDUMP) != 0:
                return  # no more mappings allowed

    def let_go(self) -> None:
        """Give its pages back. They come again from the page cache, in the pieces that are used."""
        for span in self._spans:
            self._advise(span, _MADV_DONTNEED)

    def _advise(self, span: Span, advice: int) -> int:
        start, end = span
        return int(self._libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice))


def _intact(library: str) -> Iterator[Span]:
    """Yield (start, end) of a file's private read-only mappings whose every page is as in the file.

    What the loader wrote to before it was made read-only (the addresses in a library's data) is not.
    """
    try:
        lines = Path("/proc/self/smaps").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    span: Span | None = None
    for line in lines:
        word, _, rest = line.partition(" ")
        if not word.endswith(":"):
            start, _, end = word.partition("-")
            wanted = rest.partition(" ")[0] in ("r-xp", "r--p") and rest.endswith(" " + library)
            span = (int(start, 16), int(end, 16)) if wanted else None
        elif span is not None and word == "Anonymous:" and rest.split() == ["0", "kB"]:
            yield span
