"""What a collector is. One file in `collectors/` defines one, as a module-level `COLLECTOR`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import BinaryIO, Protocol, runtime_checkable

from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row

HEAD_SIZE = 4096


@runtime_checkable
class HostCollector(Protocol):
    """Asks the target as a whole: accounts, packages, persistence, processes."""

    name: str
    tables: tuple[type[Row], ...]

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows in stable order; what could not be read is a miss in `coverage`, never an exception."""


class ContentFile(Protocol):
    """One regular file that the pipeline has opened and read once."""

    entry: Entry
    head: bytes  # first HEAD_SIZE bytes
    sha256: str
    digest: str  # of the kind that the owning package's manifest has; the SHA-256 where it has none
    content_type: str

    def read(self, limit: int) -> bytes:
        """Return at most `limit` bytes from the start."""

    def memory(self) -> memoryview | None:
        """Return the whole content where it is in memory anyway; good only while the file is examined."""

    def open(self) -> BinaryIO:
        """Return a seekable reader over the whole content (from memory for small files); the caller closes it."""


@runtime_checkable
class ContentCollector(Protocol):
    """Examines the content of single files as the pipeline reads them; runs in several processes at once.

    What it remembers between files stays in the process that it ran in. One with a method `prepare` is asked, before
    those processes are made, to load what all of them need.
    """

    name: str
    tables: tuple[type[Row], ...]

    def wants(self, entry: Entry, head: bytes) -> bool:
        """Decide by attributes and the first bytes whether to examine the file; cheap, called for every file."""

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield rows; raise `ParseError` for content that cannot be understood (the pipeline records the miss)."""


class Feed(Protocol):
    """A collector's look at one large file while it is read."""

    def feed(self, data: memoryview) -> None:
        """Take the next bytes; the view is reused after the call."""

    def finish(self, file: ContentFile, coverage: Coverage) -> Iterator[Row]:
        """Yield the rows once the whole file has been fed; raise as `ContentCollector.examine`."""


@runtime_checkable
class FeedCollector(ContentCollector, Protocol):
    """A content collector that can take large files from the pipeline's own reading, so that they are read once."""

    def begin(self, entry: Entry, head: bytes) -> Feed | None:
        """Return a feed for a file, or None to be asked by `examine` afterwards. May be called twice for one file."""


@runtime_checkable
class CacheableCollector(ContentCollector, Protocol):
    """A content collector whose answers may be kept between scans of an unchanged file."""

    def fingerprint(self) -> str:
        """Return what the answers depend on beside the file and the evidence room's own code (a digest of rules)."""


@runtime_checkable
class NeighbourCollector(ContentCollector, Protocol):
    """A content collector whose answer for some files depends on other files; those answers are never kept."""

    def looks_beyond(self, entry: Entry, content_type: str) -> bool:
        """Whether the answer for this file may depend on more than the file."""


Collector = HostCollector | ContentCollector


@cache
def load_collectors() -> tuple[Collector, ...]:
    """Import every module of `hinomi.evidence.collectors` and return their `COLLECTOR`s in name order."""
    package = import_module("hinomi.evidence.collectors")
    modules = [import_module(f"{package.__name__}.{m.name}") for m in iter_modules(package.__path__)]
    return tuple(sorted((m.COLLECTOR for m in modules), key=lambda c: c.name))
