"""The walker: opens what content says is an archive, member by member, and shows classes and metadata to a visitor.

Every fault is local: a damaged, encrypted or unknown member is noted and its neighbours are still looked at. Budgets
are per outer file, and a member gets only a share of what is left.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from hinomi.evidence.archives import zips
from hinomi.evidence.archives.ars import read_ar, read_rpm
from hinomi.evidence.archives.budget import Budget, BudgetError, Notes
from hinomi.evidence.archives.cpio import read_cpio
from hinomi.evidence.archives.inflate64 import inflate64
from hinomi.evidence.archives.inflated import before_damage, gunzipped_whole, inflated_whole
from hinomi.evidence.archives.iso import read_iso
from hinomi.evidence.archives.kinds import (
    SEEKABLE,
    SNIFF_SIZE,
    STREAMS,
    UNSUPPORTED,
    Kind,
    may_carry_zip,
    sniff,
)
from hinomi.evidence.archives.members import Members
from hinomi.evidence.archives.memory import Memory
from hinomi.evidence.archives.rar import read_rar
from hinomi.evidence.archives.recognise import MEANINGFUL, archive_in, is_program, kind_ahead
from hinomi.evidence.archives.sevenzip import read_7z
from hinomi.evidence.archives.source import (
    IN_MEMORY,
    BytesSource,
    Source,
    SourceStream,
    Stream,
    in_memory,
    part_of,
    spool,
    stream_of,
)
from hinomi.evidence.archives.squashfs import read_squashfs
from hinomi.evidence.archives.streams import UnsupportedError, decompressed, inflate, zip_lzma
from hinomi.evidence.archives.tars import read_tar
from hinomi.evidence.archives.visitor import MAX_CLASS, MAX_TEXT, MIN_CLASS, Place, Visitor
from hinomi.evidence.archives.zips import ZipEntry, ZipReader
from hinomi.evidence.native import compiled
from hinomi.model.errors import ParseError

BOMB_RATIO = 200
SMALL_RAW = 16 << 10  # inflates to 16 MiB at most
HEAD_PACKED = 4 << 10  # deflated bytes that make the first 512 plain ones
BOMB_SIZE = 64 << 20
MAX_TAIL_CHECK = 256 << 20  # packed programs above this are not unpacked only to look for a zip behind them

_SEQUENTIAL: dict[str, Callable[[Stream], Members]] = {
    "tar": read_tar,
    "cpio": read_cpio,
    "ar": read_ar,
    "rpm": read_rpm,
}
_RANDOM: dict[str, Callable[[Source], Members]] = {
    "7z": read_7z,
    "iso": read_iso,
    "squashfs": read_squashfs,
    "rar": read_rar,
}
_ZIP_STREAMS: dict[int, Kind] = {12: "bzip2", 93: "zstd", 95: "xz"}


class Walker:
    """Walks one outer file."""

    def __init__(self, visitor: Visitor, notes: Notes, memory: Memory) -> None:
        self._visitor = visitor
        self._notes = notes
        self._memory = memory
        self._core = compiled("classes")
        self._known_to_core = (memory.secret, memory.table, visitor.words, visitor.endings, MEANINGFUL)
        self._open: set[int] = set()
        self._depth = 0
        self._keyed = False  # whether the outer file's content is known by a key of its own

    def walk(self, source: Source, path: str, budget: Budget, key: int | None = None) -> None:
        """Walk the file `path`; never raises. `key` stands for its content: the same content is walked once."""
        self._keyed = key is not None
        if key is not None and self._known(key, (path,)):
            return
        marks = self._marks()
        found = archive_in(source)
        if found is not None and found[0] != "class":
            self._container(found[0], found[1], None, (path,), budget)
        if key is not None:
            self._keep(key, marks, (path,))

    # Containers

    def _container(
        self, kind: Kind, source: Source | None, stream: Stream | None, chain: tuple[str, ...], budget: Budget
    ) -> None:
        """Open one container from a source or a stream; whatever goes wrong inside is noted here."""
        path = " » ".join(chain)
        if self._depth > budget.limits.max_archive_depth:
            self._notes.add(path, "budget", "depth")
            return
        part = budget.share()
        self._depth += 1
        try:
            self._open_container(kind, source, stream, chain, part)
        except BudgetError as error:
            self._notes.add(path, "budget", error.limit)
        except UnsupportedError as error:
            self._notes.add(path, "unsupported", error.cause)
        except ParseError as error:
            self._notes.add(path, _reason(error), error.cause)
        finally:
            self._depth -= 1
            budget.settle(part)

    def _open_container(
        self, kind: Kind, source: Source | None, stream: Stream | None, chain: tuple[str, ...], budget: Budget
    ) -> None:
        if kind in UNSUPPORTED:
            raise UnsupportedError("archive.unsupported", cause=kind)
        if kind in SEEKABLE:
            if source is not None:
                self._seekable(kind, source, chain, budget)
            elif stream is not None:
                self._spooled(kind, stream, chain, budget)
            return
        if source is not None:
            stream = stream_of(source)
        assert stream is not None  # one of the two is always given
        if kind in STREAMS:
            self._stream(kind, stream, chain, budget)
        else:
            self._sequence(_SEQUENTIAL[kind](stream), chain, budget)
            self._following(kind, stream, chain, budget)

    def _spooled(self, kind: Kind, stream: Stream, chain: tuple[str, ...], budget: Budget) -> None:
        source, scratch = spool(stream)
        try:
            self._seekable(kind, source, chain, budget)
        finally:
            if scratch is not None:
                scratch.close()

    def _seekable(self, kind: Kind, source: Source, chain: tuple[str, ...], budget: Budget) -> None:
        """Walk a container that needs random access; the same bytes are walked only once while nothing is in them."""
        known_otherwise = self._keyed and self._depth == 1
        key = None
        if isinstance(source, BytesSource) and not known_otherwise:
            key = self._memory.key_of(source.data, self._core)
        if key is not None and (key in self._open or self._known(key, chain)):
            return
        marks = self._marks()
        if key is not None:
            self._open.add(key)
        try:
            if kind in _RANDOM:
                self._sequence(_RANDOM[kind](source), chain, budget)
            else:
                self._zip(ZipReader(source), chain, budget)
        finally:
            if key is not None:
                self._open.discard(key)
        if key is not None:
            self._keep(key, marks, chain)

    def _known(self, key: int, chain: tuple[str, ...]) -> bool:
        """Whether the same bytes have been walked: what they gave is given again."""
        kept = self._memory.kept(key)
        if kept is not None:
            self._visitor.replay(chain, kept)
        return kept is not None

    def _marks(self) -> tuple[int, int]:
        return self._visitor.mark(), self._notes.total

    def _keep(self, key: int, marks: tuple[int, int], chain: tuple[str, ...]) -> None:
        """Remember a container in which nothing was missed."""
        kept = self._visitor.kept(marks[0], len(chain))
        if kept is not None and marks[1] == self._notes.total:
            self._memory.keep(key, kept)

    def _stream(self, kind: Kind, stream: Stream, chain: tuple[str, ...], budget: Budget) -> None:
        """Look into a compressed stream; only an archive or a class inside makes more than its head be unpacked."""
        packed = stream.rest() if kind == "gzip" and isinstance(stream, SourceStream) else None
        plain = _metered(decompressed(kind, stream), budget)
        inner = kind_ahead(plain, plain.peek(SNIFF_SIZE))
        if inner == "class":
            place = Place(chain[:-1] or chain, lambda: ())
            self._class(place, chain[-1].encode("utf-8", "surrogateescape"), b"".join(plain.chunks(MAX_CLASS)))
            self._visitor.leave(place)
        elif inner is not None:
            whole = gunzipped_whole(packed) if packed is not None else None
            if whole is not None:
                budget.spend(whole.size)
            self._container(inner, whole, plain, chain, budget)

    def _sequence(self, members: Members, chain: tuple[str, ...], budget: Budget) -> None:
        names: list[bytes] = []
        place = Place(chain, lambda: names)
        try:
            for member in members:
                budget.member()
                names.append(member.name)
                self._member(place, member.name, member.stream, budget)
        except ParseError:
            place.whole = False
            raise
        finally:
            self._visitor.leave(place)

    def _following(self, kind: Kind, stream: Stream, chain: tuple[str, ...], budget: Budget) -> None:
        """An initial RAM disk is a small cpio with a compressed one behind it."""
        if kind == "cpio" and (inner := sniff(stream.peek(SNIFF_SIZE))):
            self._container(inner, None, stream, chain, budget)

    # Members of anything but zip

    def _member(self, place: Place, name: bytes, stream: Stream, budget: Budget) -> None:
        try:
            self._look(place, name, stream, budget)
        except ParseError as error:
            self._fault(place, name, error, budget)

    def _fault(self, place: Place, name: bytes, error: ParseError, budget: Budget) -> None:
        """Note what went wrong with one member; a budget that is spent for all of them goes on up."""
        if isinstance(error, BudgetError):
            if budget.bytes_left < 0 or budget.entries_left < 0 or error.limit == "seconds":
                raise error
            self._missed(place, name, "budget", error.limit)
        elif isinstance(error, UnsupportedError):
            self._missed(place, name, "unsupported", error.cause)
        else:
            self._missed(place, name, _reason(error))

    def _missed(self, place: Place, name: bytes, reason: str, detail: str = "") -> None:
        text = zips.name_text(name)
        self._notes.add(place.path, reason, f"{detail}: {text}" if detail else text)
        if name.endswith(b".class"):
            place.whole = False

    def _look(self, place: Place, name: bytes, stream: Stream, budget: Budget) -> bool:
        """Look at a member; return whether all of it is told now: classes and metadata wait for those beside them."""
        head = stream.peek(SNIFF_SIZE)
        kind = kind_ahead(stream, head)
        if kind == "class":
            self._class(place, name, stream.read(MAX_CLASS + 1))
            return False
        if kind is not None:
            self._container(kind, None, stream, (*place.chain, zips.name_text(name)), budget)
        elif self._visitor.wants_text(name):
            self._visitor.text_file(place, name, stream.read(MAX_TEXT))
            return False
        elif is_program(head):
            self._carrier(place, name, stream, budget)
        return True

    def _carrier(self, place: Place, name: bytes, stream: Stream, budget: Budget) -> None:
        """A program or script may carry an archive behind it."""
        source, scratch = spool(stream)
        try:
            found = archive_in(source)
            if found is not None:
                self._container(found[0], found[1], None, (*place.chain, zips.name_text(name)), budget)
        finally:
            if scratch is not None:
                scratch.close()

    def _class(self, place: Place, name: bytes, data: bytes) -> None:
        if len(data) <= MAX_CLASS and self._visitor.wants_class(data):
            self._visitor.class_file(place, name, data)

    # Members of zip

    def _zip(self, reader: ZipReader, chain: tuple[str, ...], budget: Budget) -> None:
        place = Place(chain, reader.names)
        try:
            for entry in self._unsettled(reader, budget):
                self._entry(reader, place, entry, budget)
            for entry in reader.hidden():
                budget.member()
                self._entry(reader, place, entry, budget)
            if reader.problem:
                place.whole = False
                self._notes.add(place.path, reader.problem)
        except BudgetError:
            place.whole = False
            raise
        finally:
            self._visitor.leave(place)

    def _unsettled(self, reader: ZipReader, budget: Budget) -> Iterator[ZipEntry]:
        """Yield the members that the compiled core (where there is one) has not settled."""
        while self._core is not None:
            step = reader.survey(self._core.survey, budget.entries_left, self._known_to_core)
            if step is None:
                break
            budget.members(step.listed, step.unpacked)
            for entry, head in step.open:
                if head is None or not self._is_plain_head(head, entry.name):
                    yield entry
        for entry in reader.entries():
            budget.member()
            yield entry

    def _entry(self, reader: ZipReader, place: Place, entry: ZipEntry, budget: Budget) -> None:
        name, flags, method, _, packed, size, _, _ = entry
        if (packed < MIN_CLASS and size < MIN_CLASS) or (packed == 0 and not flags & zips.DESCRIPTOR):
            return
        if flags & zips.ENCRYPTED:
            self._missed(place, name, "encrypted")
            return
        try:
            small = name.endswith(b".class") and size <= MAX_CLASS and packed <= MAX_CLASS and method in (0, 8)
            if small and self._small(reader, place, entry, budget):
                return
            self._zip_member(reader, place, entry, budget)
            other = reader.local(entry)
            if other is not None:
                self._zip_member(reader, place, other, budget)
        except ParseError as error:
            self._fault(place, name, error, budget)

    def _small(self, reader: ZipReader, place: Place, entry: ZipEntry, budget: Budget) -> bool:
        """The hot path: a class by name. Return whether it is settled; what is no class after all goes the long way."""
        raw = reader.raw(entry)
        key = hash((raw, entry.method))
        if self._memory.is_innocent(key):
            return reader.local(entry) is None
        try:
            data = _inflated(raw, entry.size) if entry.method else raw
        except zlib.error:
            data = before_damage(raw, MAX_CLASS)
            if not self._visitor.is_enough(data):
                return False
        budget.bytes_left -= len(data)
        if data[:4] != b"\xca\xfe\xba\xbe" or len(raw) < entry.packed:
            return False
        if self._visitor.wants_class(data):
            self._visitor.class_file(place, entry.name, data)
        elif reader.local(entry) is not None:
            return False
        else:
            self._memory.add_innocent(key)
        return True

    def _zip_member(self, reader: ZipReader, place: Place, entry: ZipEntry, budget: Budget) -> None:
        start = reader.locate(entry)
        if start + entry.packed > reader.source.size:
            self._missed(place, entry.name, "truncated")
        packed = part_of(reader.source, start, entry.packed)
        if entry.method == 0:
            self._stored(place, entry, packed, budget)
            return
        packed = in_memory(packed, IN_MEMORY)
        key = None
        if isinstance(packed, BytesSource):
            key = hash((self._memory.key_of(packed.data, self._core), entry.method))
        chain = (*place.chain, zips.name_text(entry.name))
        if key is not None and self._is_settled(key, entry.name, chain):
            return
        marks = self._marks()
        if self._unpacked(place, entry, packed, key, budget) and key is not None:
            self._keep(key, marks, chain)

    def _is_settled(self, key: int, name: bytes, chain: tuple[str, ...]) -> bool:
        """Whether the same bytes were looked at before; what is metadata goes by its name, not by its bytes."""
        if self._visitor.wants_text(name):
            return False
        return self._memory.is_innocent(key) or self._known(key, chain)

    def _unpacked(self, place: Place, entry: ZipEntry, packed: Source, key: int | None, budget: Budget) -> bool:
        """Look at a compressed member, as `_look`; one that is nothing known is remembered under its key."""
        if key is not None and entry.method == 8 and not _like_bomb(entry) and self._is_plain(packed, entry.name):
            self._memory.add_innocent(key)
            return True
        stream = _metered(_stream_of(entry, packed), budget)
        head = stream.peek(SNIFF_SIZE)
        kind = sniff(head)
        if kind is None and _like_bomb(entry):
            self._missed(place, entry.name, "budget", f"{entry.size} bytes of nothing known")
        elif kind is None and is_program(head) and entry.size > MAX_TAIL_CHECK:
            self._notes.skipped["end-of-large-program"] += 1  # a zip behind it is a guess, unpacking it is a cost
        elif kind in SEEKABLE and kind is not None and (whole := self._at_once(entry, packed, budget)) is not None:
            self._container(kind, whole, None, (*place.chain, zips.name_text(entry.name)), budget)
        else:
            return self._look(place, entry.name, stream, budget)
        return True

    def _at_once(self, entry: ZipEntry, packed: Source, budget: Budget) -> Source | None:
        """Inflate a member in one go where its size is as told: there are no pieces to be joined."""
        whole = inflated_whole(packed, entry.size) if entry.method == 8 else None
        if whole is not None:
            budget.spend(whole.size)
        return whole

    def _is_plain(self, packed: Source, name: bytes) -> bool:
        """Whether deflated content is of no use: most members are settled by their first bytes, unpacked alone."""
        decoder = zlib.decompressobj(-15)
        try:
            head = decoder.decompress(packed.read_at(0, HEAD_PACKED), SNIFF_SIZE)
        except zlib.error:
            return False
        enough = bool(head.strip(b"\0")) if len(head) == SNIFF_SIZE else decoder.eof
        return enough and self._is_plain_head(head, name)

    def _is_plain_head(self, head: bytes, name: bytes) -> bool:
        return sniff(head) is None and not is_program(head) and not self._visitor.wants_text(name)

    def _stored(self, place: Place, entry: ZipEntry, packed: Source, budget: Budget) -> None:
        """A stored member is read in place; a zip behind any head is found by its end record."""
        head = packed.read_at(0, SNIFF_SIZE)
        found = archive_in(packed) if may_carry_zip(head) or sniff(head) is not None else None
        if found is not None and found[0] in SEEKABLE:
            source = in_memory(found[1], IN_MEMORY // 4)
            self._container(found[0], source, None, (*place.chain, zips.name_text(entry.name)), budget)
        else:
            self._look(place, entry.name, stream_of(packed), budget)


def _stream_of(entry: ZipEntry, packed: Source) -> Stream:
    stream = stream_of(packed)
    if entry.method == 8:
        return Stream(inflate(stream))
    if entry.method in _ZIP_STREAMS:
        return decompressed(_ZIP_STREAMS[entry.method], stream)
    if entry.method == 9:
        return Stream(inflate64(packed.read_at(0, min(packed.size, MAX_TAIL_CHECK))))
    if entry.method == 14:
        return Stream(zip_lzma(stream, entry.size))
    raise UnsupportedError("archive.unsupported", cause=f"zip method {entry.method}")


def _inflated(raw: bytes, size: int) -> bytes:
    """Inflate a class at once; data that could become very large is cut at the largest class."""
    if len(raw) <= SMALL_RAW:
        return zlib.decompress(raw, -15, size or 1)
    return zlib.decompressobj(-15).decompress(raw, MAX_CLASS)


def _like_bomb(entry: ZipEntry) -> bool:
    return entry.size > BOMB_SIZE and entry.size > BOMB_RATIO * entry.packed


def _metered(stream: Stream, budget: Budget) -> Stream:
    return Stream(_spent(stream, budget))


def _spent(stream: Stream, budget: Budget) -> Iterator[bytes]:
    for chunk in stream.chunks():
        budget.spend(len(chunk))
        yield chunk


def _reason(error: ParseError) -> str:
    """Map an error's code to the coverage's reason."""
    last = error.code.rsplit(".", 1)[-1]
    return last if last in ("truncated", "encrypted", "unsupported", "unreadable") else "damaged"
