"""Libraries in any container: Log4j decided by class content, others named by their metadata.

Why an attacker cares: one vulnerable copy, deep in an archive nobody lists, is a way in.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from hinomi.evidence.archives.budget import Budget, Notes
from hinomi.evidence.archives.kinds import ISO_MAGIC_AT, SNIFF_SIZE, STREAMS, Kind, may_carry_zip, sniff
from hinomi.evidence.archives.memory import Memory
from hinomi.evidence.archives.recognise import self_extracting
from hinomi.evidence.archives.source import BytesSource, FileSource, Source, open_source, stream_of
from hinomi.evidence.archives.streams import UnsupportedError, decompressed
from hinomi.evidence.archives.visitor import MAX_CLASS, MAX_TEXT
from hinomi.evidence.archives.walk import Walker
from hinomi.evidence.archives.zips import END_SEARCH, END_SIGNATURE, find_end
from hinomi.evidence.collector import ContentFile
from hinomi.evidence.content_types import JAVA_CLASS
from hinomi.evidence.java.copies import Copy
from hinomi.evidence.java.exploded import copies_beside
from hinomi.evidence.java.finder import Finder, Found, pack, unpack
from hinomi.evidence.java.metadata import Claim, claims_of, wants_text
from hinomi.evidence.java.traits import may_matter
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.software import Library
from hinomi.model.text import path_text, printable

AREA = "libraries"
_CORE_PURL = "pkg:maven/org.apache.logging.log4j/log4j-core"
_ONE_PURL = "pkg:maven/log4j/log4j"
_RARE = END_SIGNATURE[2:3]  # no text holds it
_ON_DISK = (b"package.json", b"package-lock.json", b"METADATA", b"PKG-INF")


class Libraries:
    """Examines archives, class files and package metadata. Stateless but for what is known to be innocent."""

    name = AREA
    tables: tuple[type[Row], ...] = (Library,)

    def __init__(self) -> None:
        self._memory = Memory(pack, unpack)

    def wants(self, entry: Entry, head: bytes) -> bool:
        """Decide by the first bytes; only package metadata is known by its name."""
        if entry.size < 22:
            return False
        kind = sniff(head[:SNIFF_SIZE])
        if kind is None:
            return _may_end_as_zip(entry, head) or _is_metadata(entry)
        if kind == "class":
            return entry.size <= MAX_CLASS and (entry.size > len(head) or may_matter(head))
        return kind not in STREAMS or _holds_archive(kind, head, entry.size)

    def looks_beyond(self, entry: Entry, content_type: str) -> bool:
        """A class outside archives is judged with the classes beside it."""
        return content_type == JAVA_CLASS

    def examine(self, file: ContentFile, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield one row per copy of a library; what could not be opened is a miss."""
        kind = sniff(file.head[:SNIFF_SIZE])
        path = path_text(file.entry.path)
        if kind == "class":
            data = file.read(MAX_CLASS)
            for copy in copies_beside(target.view, file.entry.path, data) if may_matter(data) else ():
                yield _row(Found((path,), copy, None), file.sha256)
        elif kind is None and _is_metadata(file.entry):
            for claim in claims_of(file.entry.path, file.read(MAX_TEXT)):
                yield _row(Found((path,), None, claim), file.sha256)
        else:
            yield from self._archive(file, path, target, coverage)

    def _archive(self, file: ContentFile, path: str, target: Target, coverage: Coverage) -> Iterator[Row]:
        finder, notes = Finder(), Notes()
        try:
            self._walk(file, path, Walker(finder, notes, self._memory), Budget(target.limits))
        except OSError as error:
            raise ParseError("archive.unreadable", place=path, cause=str(error)) from error
        if finder.dropped:
            notes.add(path, "budget", f"{finder.dropped} further copies")
        for kind, number in notes.skipped.items():
            coverage.skip(kind, number)
        for where, reason, count, example in notes.listed():
            detail = f"{count} members, such as {printable(example)}" if count > 1 else printable(example)
            coverage.miss(AREA, where or path, reason, detail)
        for found in finder.found:
            yield _row(found, file.sha256)

    def _walk(self, file: ContentFile, path: str, walker: Walker, budget: Budget) -> None:
        """Walk a file that is an archive, in memory where it is there already."""
        memory = file.memory()
        if memory is not None:
            source = BytesSource(memory)
            if _is_archive(file, source):
                walker.walk(source, path, budget, hash(file.sha256))
            return
        with file.open() as reader:
            if _is_archive(file, FileSource(reader, file.entry.size, SNIFF_SIZE)):
                walker.walk(open_source(reader), path, budget, hash(file.sha256))


def _is_metadata(entry: Entry) -> bool:
    """Package metadata on disk: Python and npm."""
    return entry.size <= MAX_TEXT and entry.path.endswith(_ON_DISK) and wants_text(entry.path)


def _may_end_as_zip(entry: Entry, head: bytes) -> bool:
    if entry.size <= len(head):
        return _RARE in head and END_SIGNATURE in head  # one byte is looked for many times as fast as four
    return may_carry_zip(head)


def _is_archive(file: ContentFile, source: Source) -> bool:
    """Whether a file is one by its head, a zip's end record, an ISO descriptor or what stands behind a program.

    Reads at most 128 KiB, not the file.
    """
    if sniff(file.head[:SNIFF_SIZE]) is not None:
        return True
    if find_end(source.read_at(max(0, source.size - END_SEARCH), END_SEARCH)) >= 0:
        return True
    return source.read_at(ISO_MAGIC_AT, 5) == b"CD001" or self_extracting(source) is not None


def _holds_archive(kind: Kind, head: bytes, size: int) -> bool:
    """Whether a compressed file holds an archive or a class, by its first bytes only (man pages, logs: no)."""
    if kind == "gzip":
        try:
            plain = zlib.decompressobj(31).decompress(head, SNIFF_SIZE)
        except zlib.error:
            return True
    else:
        try:
            plain = decompressed(kind, stream_of(BytesSource(head))).peek(SNIFF_SIZE)
        except UnsupportedError:
            return True
        except ParseError:
            return size > len(head)  # the first block is longer than the head
    return sniff(plain) is not None if len(plain) >= SNIFF_SIZE or size <= len(head) else True


def _row(found: Found, digest: str) -> Library:
    container = found.chain[0]
    if found.copy is not None:
        return _copy_row(found, found.copy, container, digest)
    claim = found.claim
    assert claim is not None  # a find is a copy or a claim
    return _claim_row(found, claim, container, digest)


def _copy_row(found: Found, copy: Copy, container: str, digest: str) -> Library:
    base = _ONE_PURL if copy.name == "log4j:log4j" else _CORE_PURL
    return Library(
        path=" » ".join(found.chain),
        container=container,
        ecosystem="maven",
        name=copy.name,
        version=copy.version,
        content_version=copy.content_version,
        state=copy.state,
        cves=list(copy.cves),
        classes=[path_text(name) for name in copy.classes],
        purl=f"{base}@{copy.version}" if copy.version else None,
        shaded=copy.shaded,
        why=copy.why,
        sha256=digest,
    )


def _claim_row(found: Found, claim: Claim, container: str, digest: str) -> Library:
    return Library(
        path=" » ".join(found.chain),
        container=container,
        ecosystem=claim.ecosystem,
        name=claim.name,
        version=claim.version,
        state="present",
        purl=claim.purl,
        why=f"{claim.entry.rsplit(b'/', 1)[-1].decode('utf-8', 'replace')} names it",
        sha256=digest,
    )


COLLECTOR = Libraries()
