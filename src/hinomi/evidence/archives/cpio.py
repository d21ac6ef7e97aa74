"""cpio: newc, crc, odc and the old binary form, forward only. Format: cpio(5)."""

from __future__ import annotations

from hinomi.evidence.archives.members import Member, Members, part, rest_skipped
from hinomi.evidence.archives.source import Stream
from hinomi.model.errors import ParseError

_REGULAR = 0o100000
_TYPE = 0o170000
MAX_NAME = 65536


def read_cpio(stream: Stream) -> Members:
    """Yield the regular files of one or more concatenated archives; `ParseError` where one is damaged."""
    while len(magic := stream.peek(6)) == 6:
        if magic in (b"070701", b"070702"):
            mode, size, name, pad = _newc(stream)
        elif magic == b"070707":
            mode, size, name, pad = _odc(stream)
        elif magic[:2] in (b"\xc7\x71", b"\x71\xc7"):
            mode, size, name, pad = _binary(stream)
        elif magic == b"\x00" * 6:
            stream.skip(4)  # padding between archives
            continue
        else:
            return
        if name == b"TRAILER!!!":
            continue
        end = stream.position + size
        if mode & _TYPE == _REGULAR and size:
            yield Member(name, size, part(stream, size))
        if not rest_skipped(stream, end):
            raise ParseError("archive.truncated", cause="cpio ends inside a member")
        stream.skip(-size % pad)


def _newc(stream: Stream) -> tuple[int, int, bytes, int]:
    header = stream.read(110)
    fields = [_number(header[6 + 8 * n : 14 + 8 * n], 16) for n in range(13)]
    name = stream.read(min(fields[11], MAX_NAME)).rstrip(b"\x00")
    stream.skip(-(110 + fields[11]) % 4)
    return fields[1], fields[6], name, 4


def _odc(stream: Stream) -> tuple[int, int, bytes, int]:
    header = stream.read(76)
    mode, name_size, size = _number(header[18:24], 8), _number(header[59:65], 8), _number(header[65:76], 8)
    return mode, size, stream.read(min(name_size, MAX_NAME)).rstrip(b"\x00"), 1


def _binary(stream: Stream) -> tuple[int, int, bytes, int]:
    header = stream.read(26)
    if len(header) < 26:
        raise ParseError("archive.truncated", cause="cpio header")
    order: str = "little" if header[:2] == b"\xc7\x71" else "big"
    words = [int.from_bytes(header[2 * n : 2 * n + 2], order) for n in range(13)]  # type: ignore[arg-type]
    name = stream.read(words[10] + (words[10] & 1)).rstrip(b"\x00")
    return words[3], words[11] << 16 | words[12], name, 2


def _number(field: bytes, base: int) -> int:
    try:
        return int(field, base)
    except ValueError as error:
        raise ParseError("archive.damaged", cause="cpio header") from error
