"""What the walker tells to whoever looks for something inside archives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

MAX_CLASS = 1 << 16  # a class above this is no JNDI class; the largest real one has 10 KB
MIN_CLASS = 32  # no class and no archive is smaller
MAX_TEXT = 1 << 20


@dataclass(slots=True, eq=False)
class Place:
    """One container being walked. `chain` holds the outer path and every member's name on the way in.

    `names` gives all member names of the container again, for the rare decision that needs them. `whole` turns false
    when a member that may be a class could not be read: then nobody can say what is *not* there.
    """

    chain: tuple[str, ...]
    names: Callable[[], Iterable[bytes]]
    whole: bool = True

    @property
    def path(self) -> str:
        """The chain as a row shows it."""
        return " » ".join(self.chain)


Kept = tuple[tuple[tuple[str, ...], Any], ...]
"""What one container gave, to be replayed: (rest of the chain, what was found)."""


class Visitor(Protocol):
    """Takes what the walker finds. Nothing here may raise."""

    words: tuple[bytes, ...]
    """A class is of interest only where one of its constants holds one of these."""

    endings: tuple[bytes, ...]
    """A text is wanted only where its name ends with one of these."""

    def wants_text(self, name: bytes) -> bool:
        """Whether a member of this name is metadata to be read (the only question asked of a name)."""

    def wants_class(self, data: bytes) -> bool:
        """Whether these plain bytes can matter at all: a cheap search for the words, called for every class."""

    def is_enough(self, data: bytes) -> bool:
        """Whether what could be unpacked of a damaged class is all that decides."""

    def class_file(self, place: Place, name: bytes, data: bytes) -> None:
        """Take a class that mattered."""

    def text_file(self, place: Place, name: bytes, data: bytes) -> None:
        """Take a metadata member (at most 1 MiB of it)."""

    def leave(self, place: Place) -> None:
        """Decide about a container: all its own members have been seen."""

    def mark(self) -> int:
        """Return a mark for `kept`."""

    def kept(self, mark: int, depth: int) -> Kept | None:
        """Return what was found since `mark` below the first `depth` parts of the chain; None where names decided."""

    def replay(self, chain: tuple[str, ...], kept: Kept) -> None:
        """Find the same again under another chain: the same bytes stand there."""
