"""ar archives (.a, .deb) and RPM packages: thin wrappers of the archive that matters. Formats: ar(5), deb(5), rpm."""

from __future__ import annotations

from hinomi.evidence.archives.members import Member, Members, part, rest_skipped
from hinomi.evidence.archives.source import Stream
from hinomi.model.errors import ParseError

MAX_NAMES = 1 << 20
MAX_RPM_HEADER = 256 << 20


def read_ar(stream: Stream) -> Members:
    """Yield the members of an ar archive, GNU and BSD long names resolved."""
    stream.skip(8)
    names = b""
    while len(header := stream.read(60)) == 60:
        if header[58:] != b"`\n" or not header[48:58].strip().isdigit():
            raise ParseError("archive.damaged", cause="ar header")
        size = int(header[48:58])
        end = stream.position + size
        name = header[:16].rstrip()
        if name == b"//":
            names = stream.read(min(size, MAX_NAMES))
        elif name not in (b"/", b"__.SYMDEF", b"/SYM64/"):
            yield _member(stream, name, size, names)
        if not rest_skipped(stream, end):
            raise ParseError("archive.truncated", cause="ar ends inside a member")
        stream.skip(size & 1)


def _member(stream: Stream, name: bytes, size: int, names: bytes) -> Member:
    if name.startswith(b"#1/") and name[3:].isdigit():
        length = min(int(name[3:]), size, MAX_NAMES)
        name, size = stream.read(length).rstrip(b"\x00"), size - length
    elif name.startswith(b"/") and name[1:].isdigit():
        name = names[int(name[1:]) :].split(b"\n", 1)[0]
    return Member(name.rstrip(b"/"), size, part(stream, size))


def read_rpm(stream: Stream) -> Members:
    """Yield one member: the payload (a compressed cpio archive)."""
    stream.skip(96)
    _skip_header(stream)
    stream.skip(-stream.position % 8)
    _skip_header(stream)
    yield Member(b"payload", -1, Stream(stream.chunks()))


def _skip_header(stream: Stream) -> None:
    intro = stream.read(16)
    if intro[:3] != b"\x8e\xad\xe8" or len(intro) < 16:
        raise ParseError("archive.damaged", cause="rpm header")
    size = int.from_bytes(intro[8:12], "big") * 16 + int.from_bytes(intro[12:16], "big")
    if size > MAX_RPM_HEADER or stream.skip(size) < size:
        raise ParseError("archive.truncated", cause="rpm header")
