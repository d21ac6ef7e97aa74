"""7z archives: header and the usual coders (copy, LZMA, LZMA2, deflate, bzip2, zstd, lz4, BCJ, BCJ2, delta).

Format: 7zFormat.txt of the LZMA SDK (public domain). Encrypted headers and folders are said as such.
"""

from __future__ import annotations

import lzma
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hinomi.evidence.archives.bcj2 import bcj2
from hinomi.evidence.archives.members import Member, Members, part, rest_skipped
from hinomi.evidence.archives.source import Source, Stream, stream_of
from hinomi.evidence.archives.streams import UnsupportedError, decompressed, inflate, lzma1_filter, raw_lzma
from hinomi.model.errors import ParseError

MAX_HEADER = 64 << 20
MAX_ITEMS = 1_000_000
MAX_STREAMS = 32  # of one folder, as the SDK allows
_BCJ2 = b"\x03\x03\x01\x1b"
_AES = b"\x06\xf1\x07\x01"
_FILTERS: dict[bytes, int] = {
    b"\x03\x03\x01\x03": lzma.FILTER_X86, b"\x04": lzma.FILTER_X86, b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM, b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
    b"\x03\x03\x08\x05": lzma.FILTER_SPARC, b"\x03\x03\x04\x01": lzma.FILTER_IA64,
    b"\x05": lzma.FILTER_POWERPC, b"\x06": lzma.FILTER_IA64, b"\x07": lzma.FILTER_ARM,
    b"\x08": lzma.FILTER_ARMTHUMB, b"\x09": lzma.FILTER_SPARC,
}  # fmt: skip


@dataclass(slots=True)
class _Coder:
    method: bytes
    properties: bytes
    inputs: int = 1
    outputs: int = 1


@dataclass(slots=True)
class _Folder:
    coders: list[_Coder]
    packed_streams: int
    bonds: dict[int, int] = field(default_factory=dict)  # input of a coder -> output of another
    packed: list[int] = field(default_factory=list)  # the inputs that packed streams go to
    sizes: list[int] = field(default_factory=list)
    files: list[int] | None = None

    @property
    def main(self) -> int:
        """The output that is the folder's content."""
        used = set(self.bonds.values())
        return next((n for n in range(len(self.sizes)) if n not in used), 0)

    @property
    def size(self) -> int:
        return self.sizes[self.main] if self.sizes else 0


@dataclass(slots=True)
class _Layout:
    pack_position: int = 0
    pack_sizes: list[int] = field(default_factory=list)
    folders: list[_Folder] = field(default_factory=list)


class _Reader:
    """Reads the header's numbers; running off its end is a `ParseError`."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, length: int) -> bytes:
        found = self.data[self.position : self.position + length]
        if length < 0 or len(found) < length:
            raise ParseError("archive.damaged", cause="7z header ends early")
        self.position += length
        return found

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        first, value, mask = self.byte(), 0, 0x80
        for index in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * index)
            value |= self.byte() << (8 * index)
            mask >>= 1
        return value

    def count(self) -> int:
        value = self.number()
        if value > MAX_ITEMS:
            raise ParseError("archive.damaged", cause="7z header claims too many items")
        return value

    def bits(self, count: int) -> list[bool]:
        packed = self.take((count + 7) // 8)
        return [bool(packed[n // 8] & (0x80 >> n % 8)) for n in range(count)]

    def defined(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)


def read_7z(source: Source) -> Members:
    """Yield every file with content; `ParseError` for damage, encryption or unknown coders."""
    header = _header(source)
    reader = _Reader(header)
    if reader.byte() != 1:
        raise ParseError("archive.damaged", cause="7z header")
    layout, names, empty = _Layout(), [b""], [False]
    while (kind := reader.number()) != 0:
        if kind == 2:
            _skip_properties(reader)
        elif kind == 4:
            layout = _streams(reader)
        elif kind == 5:
            names, empty = _files(reader)
        else:
            raise UnsupportedError("archive.unsupported", cause="7z additional streams")
    yield from _members(source, layout, [n for n, e in zip(names, empty, strict=False) if not e])


def _header(source: Source) -> bytes:
    start = source.read_at(0, 32)
    offset, size = int.from_bytes(start[12:20], "little"), int.from_bytes(start[20:28], "little")
    header = source.read_at(32 + offset, size) if size <= MAX_HEADER else b""
    for _ in range(4):  # an encoded header may itself be encoded
        if len(header) == 0:
            raise ParseError("archive.truncated", cause="no 7z header")
        if header[0] != 0x17:
            return header
        reader = _Reader(header)
        reader.byte()
        layout = _streams(reader)
        header = b"".join(p for f in _folder_streams(source, layout) for p in f[1].chunks(MAX_HEADER))
    raise ParseError("archive.damaged", cause="7z header encoded again and again")


def _skip_properties(reader: _Reader) -> None:
    while reader.number() != 0:
        reader.take(reader.count())


def _streams(reader: _Reader) -> _Layout:
    layout = _Layout()
    while (kind := reader.number()) != 0:
        if kind == 6:
            _pack_info(reader, layout)
        elif kind == 7:
            _unpack_info(reader, layout)
        elif kind == 8:
            _substreams(reader, layout)
        else:
            raise ParseError("archive.damaged", cause="7z streams info")
    return layout


def _pack_info(reader: _Reader, layout: _Layout) -> None:
    layout.pack_position, count = reader.number(), reader.count()
    while (kind := reader.number()) != 0:
        if kind == 9:
            layout.pack_sizes = [reader.number() for _ in range(count)]
        elif kind == 10:
            _digests(reader, count)


def _digests(reader: _Reader, count: int) -> int:
    defined = reader.defined(count)
    reader.take(4 * sum(defined))
    return sum(defined)


def _unpack_info(reader: _Reader, layout: _Layout) -> None:
    if reader.number() != 11:
        raise ParseError("archive.damaged", cause="7z folders")
    count = reader.count()
    if reader.byte():
        raise UnsupportedError("archive.unsupported", cause="7z external folders")
    layout.folders = [_folder(reader) for _ in range(count)]
    while (kind := reader.number()) != 0:
        if kind == 12:
            for folder in layout.folders:
                folder.sizes = [reader.number() for _ in range(sum(c.outputs for c in folder.coders))]
        elif kind == 10:
            _digests(reader, count)


def _folder(reader: _Reader) -> _Folder:
    coders = []
    for _ in range(min(reader.count(), 32)):
        flags = reader.byte()
        method = reader.take(flags & 15)
        inputs, outputs = (reader.count(), reader.count()) if flags & 16 else (1, 1)
        coders.append(_Coder(method, reader.take(reader.count()) if flags & 32 else b"", inputs, outputs))
    inputs, outputs = sum(c.inputs for c in coders), sum(c.outputs for c in coders)
    if inputs > MAX_STREAMS or outputs > MAX_STREAMS:
        raise UnsupportedError("archive.unsupported", cause="7z folder of many streams")
    bonds = {reader.number(): reader.number() for _ in range(max(0, outputs - 1))}
    number = max(0, inputs - outputs + 1)
    packed = [reader.number() for _ in range(number)] if number > 1 else [n for n in range(inputs) if n not in bonds]
    return _Folder(coders, number, bonds, packed)


def _substreams(reader: _Reader, layout: _Layout) -> None:
    counts = [1] * len(layout.folders)
    kind = reader.number()
    if kind == 13:
        counts = [reader.count() for _ in layout.folders]
        kind = reader.number()
    for folder, count in zip(layout.folders, counts, strict=True):
        sizes = [reader.number() for _ in range(count - 1)] if kind == 9 else []
        folder.files = [*sizes, folder.size - sum(sizes)] if count else []
    if kind == 9:
        kind = reader.number()
    while kind != 0:
        if kind == 10:
            _digests(reader, sum(n for n in counts if n != 1) or sum(counts))
        kind = reader.number()


def _files(reader: _Reader) -> tuple[list[bytes], list[bool]]:
    count = reader.count()
    names, empty = [b""] * count, [False] * count
    while (kind := reader.number()) != 0:
        body = _Reader(reader.take(reader.count() if kind != 17 else reader.number()))
        if kind == 14:
            empty = body.bits(count)
        elif kind == 17 and not body.byte():
            names = _names(body.data[1:], count)
    return names, empty


def _names(data: bytes, count: int) -> list[bytes]:
    text = data.decode("utf-16-le", "surrogatepass").split("\x00")
    return [(text[n] if n < len(text) else "").encode("utf-8", "surrogatepass") for n in range(count)]


def _members(source: Source, layout: _Layout, names: list[bytes]) -> Members:
    index = 0
    for folder, stream in _folder_streams(source, layout):
        for size in folder.files if folder.files is not None else [folder.size]:
            end = stream.position + size
            yield Member(names[index] if index < len(names) else b"?", size, part(stream, size))
            index += 1
            if not rest_skipped(stream, end):
                raise ParseError("archive.truncated", cause="7z folder ends early")


def _folder_streams(source: Source, layout: _Layout) -> Iterator[tuple[_Folder, Stream]]:
    position, index = 32 + layout.pack_position, 0
    for folder in layout.folders:
        sizes = layout.pack_sizes[index : index + folder.packed_streams]
        if folder.packed_streams == 1 and sizes:
            yield folder, _decoded(folder, stream_of(source, position, sizes[0]))
        else:
            yield folder, _joined(folder, source, position, sizes)
        position += sum(sizes)
        index += folder.packed_streams


def _refused(what: str) -> Iterator[bytes]:
    """Make the error come when the content is asked for, so that the other folders are still read."""
    for cause in (what,):
        raise UnsupportedError("archive.unsupported", cause=cause)
    yield b""


def _joined(folder: _Folder, source: Source, position: int, sizes: list[int]) -> Stream:
    """Run a folder whose coders form a tree: BCJ2 takes four streams."""
    starts = [position + sum(sizes[:n]) for n in range(len(sizes))]
    packed = dict(zip(folder.packed, zip(starts, sizes, strict=True), strict=False))
    if len(packed) < folder.packed_streams or any(c.outputs != 1 for c in folder.coders):
        return Stream(_refused("7z folder of several streams"))
    return _output(folder, folder.main, lambda place: stream_of(source, *packed[place]), len(folder.coders))


def _output(folder: _Folder, number: int, packed: Callable[[int], Stream], deep: int) -> Stream:
    """Return what coder `number` gives; a loop of coders ends after as many steps as there are coders."""
    if deep == 0 or not number < len(folder.coders) == len(folder.sizes):
        raise ParseError("archive.damaged", cause="7z coders")
    coder, first = folder.coders[number], sum(c.inputs for c in folder.coders[:number])
    try:
        inputs = [
            _output(folder, folder.bonds[n], packed, deep - 1) if n in folder.bonds else packed(n)
            for n in range(first, first + coder.inputs)
        ]
    except KeyError as error:
        raise ParseError("archive.damaged", cause="7z coders") from error
    if coder.method == _BCJ2 and len(inputs) == 4:
        return Stream(bcj2(inputs[0], inputs[1], inputs[2], inputs[3], folder.sizes[number]))
    if len(inputs) != 1:
        return Stream(_refused(f"7z method {coder.method.hex()}"))
    return _decoded(_Folder([coder], 1, sizes=[folder.sizes[number]]), inputs[0])


def _decoded(folder: _Folder, stream: Stream) -> Stream:
    """Run a folder's coders from the packed end to the plain one."""
    if any(c.method == _AES for c in folder.coders):
        raise ParseError("archive.encrypted", cause="7z AES")
    filters: list[dict[str, int]] = []
    for coder in reversed(folder.coders):
        if coder.method in _FILTERS:
            filters.insert(0, {"id": _FILTERS[coder.method]})
        elif coder.method == b"\x03":
            filters.insert(0, {"id": lzma.FILTER_DELTA, "dist": (coder.properties[0] if coder.properties else 0) + 1})
        elif coder.method in (b"\x21", b"\x03\x01\x01"):
            filters.append(_lzma_filter(coder))
        else:
            stream = _simple(coder, stream)
    if not filters:
        return stream
    if filters[-1]["id"] not in (lzma.FILTER_LZMA1, lzma.FILTER_LZMA2):
        raise UnsupportedError("archive.unsupported", cause="7z filter without LZMA")
    return Stream(raw_lzma(stream, filters, folder.size))


def _lzma_filter(coder: _Coder) -> dict[str, int]:
    if coder.method == b"\x03\x01\x01":
        return lzma1_filter(coder.properties)
    bits = coder.properties[0] if coder.properties else 40
    if bits > 40:
        raise ParseError("archive.damaged", cause="LZMA2 properties")
    size = (2 | bits & 1) << (bits // 2 + 11)
    if size > 128 << 20:
        raise UnsupportedError("archive.unsupported", cause="LZMA2 dictionary above 128 MiB")
    return {"id": lzma.FILTER_LZMA2, "dict_size": size}


_SIMPLE: dict[bytes, Callable[[Stream], Stream]] = {
    b"\x00": lambda s: s,
    b"\x04\x01\x08": lambda s: Stream(inflate(s)),
    b"\x04\x02\x02": lambda s: decompressed("bzip2", s),
    b"\x04\xf7\x11\x01": lambda s: decompressed("zstd", s),
    b"\x04\xf7\x11\x04": lambda s: decompressed("lz4", s),
}


def _simple(coder: _Coder, stream: Stream) -> Stream:
    if coder.method not in _SIMPLE:
        raise UnsupportedError("archive.unsupported", cause=f"7z method {coder.method.hex()}")
    return _SIMPLE[coder.method](stream)
