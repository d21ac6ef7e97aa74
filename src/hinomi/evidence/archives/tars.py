"""tar in all its dialects (v7, ustar, GNU, pax), forward only. Format: POSIX.1-2017 pax, GNU tar manual."""

from __future__ import annotations

from hinomi.evidence.archives.members import Member, Members, part, rest_skipped
from hinomi.evidence.archives.source import Stream
from hinomi.model.errors import ParseError

BLOCK = 512
MAX_HEADER_DATA = 1 << 20
_EXTENSIONS = (b"x", b"g", b"L", b"K", b"X")
_SPARSE_MORE = 482  # "isextended" of the header and of each further block of the map (GNU tar manual, tar.h)
_SPARSE_MORE_HERE = 504


def read_tar(stream: Stream) -> Members:
    """Yield the regular files; `ParseError` where the archive is cut or no longer a tar."""
    name: bytes | None = None
    told: int | None = None  # the next member's size by a pax record, which counts above its header
    while True:
        header = stream.read(BLOCK)
        if not header.strip(b"\x00"):
            if len(header) < BLOCK or not stream.peek(BLOCK).strip(b"\x00"):
                return
            continue
        size, told = _true_size(header, told)
        _skip_sparse_map(header, stream)
        end = stream.position + -(-size // BLOCK) * BLOCK
        kind = header[156:157]
        if kind in (b"L", b"x"):
            name, told = _told(kind, stream.read(min(size, MAX_HEADER_DATA)), name, told)
        elif _is_file(kind, header):
            yield Member(name or _name(header), size, part(stream, size))
            name = None
        elif kind not in (b"g", b"K"):
            name = None
        if not rest_skipped(stream, end):
            if stream.position < end - BLOCK:
                raise ParseError("archive.truncated", cause="tar ends inside a member")
            return


def _is_file(kind: bytes, header: bytes) -> bool:
    """Whether a member is a regular file; before ustar, folders were files whose name ends with a slash."""
    return kind == b"0" or (kind in (b"\x00", b"7") and not _name(header).endswith(b"/"))


def _size(header: bytes) -> int:
    if len(header) < BLOCK:
        raise ParseError("archive.truncated", cause="tar ends inside a header")
    field = header[124:136]
    try:
        size = int.from_bytes(field[1:], "big") if field[0] & 0x80 else int(field.strip(b"\x00 ") or b"0", 8)
        checksum = int(header[148:156].strip(b"\x00 ").split(b"\x00")[0] or b"0", 8)
    except ValueError as error:
        raise ParseError("archive.damaged", cause="tar header") from error
    rest = header[:148] + header[156:]
    expected = sum(rest) + 8 * 0x20
    if checksum != expected and checksum != expected - 256 * sum(byte > 127 for byte in rest):  # some sum signed bytes
        raise ParseError("archive.damaged", cause="tar header checksum")
    return size


def _true_size(header: bytes, told: int | None) -> tuple[int, int | None]:
    """Return the member's size, and what is told of the next one's."""
    size = _size(header)
    if told is not None and header[156:157] not in _EXTENSIONS:
        return told, None
    return size, told


def _skip_sparse_map(header: bytes, stream: Stream) -> None:
    """Pass over the further blocks of an old GNU sparse file's map, which its size does not count."""
    more = header[156:157] == b"S" and header[_SPARSE_MORE]
    while more:
        block = stream.read(BLOCK)
        if len(block) < BLOCK:
            raise ParseError("archive.truncated", cause="tar ends inside a sparse map")
        more = block[_SPARSE_MORE_HERE]


def _name(header: bytes) -> bytes:
    name = header[:100].rstrip(b"\x00").split(b"\x00")[0]
    prefix = header[345:500].split(b"\x00")[0] if header[257:263] == b"ustar\x00" else b""
    return prefix + b"/" + name if prefix else name


def _told(kind: bytes, data: bytes, name: bytes | None, size: int | None) -> tuple[bytes | None, int | None]:
    """Return the next member's name and size with what an extension header says of them."""
    if kind == b"L":
        return data.rstrip(b"\x00") or name, size
    records = _pax_records(data)
    return records.get(b"path") or name, _pax_size(records.get(b"size", b""))


def _pax_records(data: bytes) -> dict[bytes, bytes]:
    """Return pax records ("<length> <key>=<value>\\n"), as far as they make sense."""
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(data):
        space = data.find(b" ", position, position + 12)
        if space < 0 or not data[position:space].isdigit():
            break
        end = position + int(data[position:space])
        key, _, value = data[space + 1 : end - 1].partition(b"=")
        records[key] = value
        position = max(end, space + 1)
    return records


def _pax_size(value: bytes) -> int | None:
    return int(value) if value.isdigit() and len(value) <= 18 else None
