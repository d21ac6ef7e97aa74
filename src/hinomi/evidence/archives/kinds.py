"""What a piece of content is, by its first bytes or its end record; names are never asked.

Sources for the magic numbers: APPNOTE 6.3.10 (zip), POSIX.1 (ustar, cpio), RFC 1952 (gzip), the xz, zstd, lz4 and 7z
format documents, deb(5), the RPM file format reference, ECMA-119 (iso), the JVM specification (class).
"""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "zip", "jmod", "tar", "gzip", "bzip2", "xz", "lzma", "zstd", "lz4", "7z", "cpio", "ar", "rpm", "iso", "squashfs",
    "class", "rar", "cab", "lzip",
]  # fmt: skip
SNIFF_SIZE = 512
STREAMS: frozenset[str] = frozenset({"gzip", "bzip2", "xz", "lzma", "zstd", "lz4"})
SEEKABLE: frozenset[str] = frozenset({"zip", "jmod", "7z", "iso", "squashfs", "rar"})
UNSUPPORTED: frozenset[str] = frozenset({"cab", "lzip"})
ISO_MAGIC_AT = 32769

_MAGICS: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK00PK\x03\x04", "zip"),
    (b"PK\x07\x08PK\x03\x04", "zip"),
    (b"JM\x01\x00PK", "jmod"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"070701", "cpio"),
    (b"070702", "cpio"),
    (b"070707", "cpio"),
    (b"\xc7\x71", "cpio"),
    (b"\x71\xc7", "cpio"),
    (b"!<arch>\n", "ar"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"hsqs", "squashfs"),
    (b"Rar!\x1a\x07", "rar"),
    (b"MSCF\x00\x00\x00\x00", "cab"),
    (b"LZIP\x01", "lzip"),
)
_FIRST = frozenset(magic[0] for magic, _ in _MAGICS)
FIRSTS: frozenset[int] = _FIRST | {0xCA, 0x5D}
"""What everything `sniff` knows begins with, but tars."""
_OCTAL = frozenset(b"01234567 \x00")
# Heads of content that is not loaded as a program: a zip glued behind it is not looked for.
_INERT = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"OggS", b"fLaC", b"ID3", b"%PDF", b"wOFF", b"wOF2",
    b"\x00\x01\x00\x00",
    b"OTTO", b"\xde\x12\x04\x95", b"\x95\x04\x12\xde", b"SQLite format 3", b"\x1f\x8b", b"\xfd7zXZ", b"BZh",
)  # fmt: skip
_SCRIPT = (b"#!", b"@", b":", b"rem ", b"REM ", b"Rem ", b"<#", b"%")
_TEXT = bytes(range(0x20, 0x7F)) + b"\t\n\r\f\x1b\x08" + bytes(range(0x80, 0x100))


def sniff(head: bytes) -> Kind | None:
    """Return what the content beginning with `head` (at least 512 bytes, or all there is) is; None for the rest."""
    if not head:
        return None
    first = head[0]
    if first in _FIRST:
        for magic, kind in _MAGICS:
            if head.startswith(magic):
                return kind
    if first == 0xCA and head[1:4] == b"\xfe\xba\xbe" and 45 <= int.from_bytes(head[6:8], "big") < 200:
        return "class"
    if head[257:262] == b"ustar" or is_old_tar(head):
        return "tar"
    if head[:1] == b"\x5d" and is_lzma_alone(head):
        return "lzma"
    return None


def is_old_tar(head: bytes) -> bool:
    """Whether `head` is a tar header without magic: its checksum field holds the sum of its 512 bytes."""
    if len(head) < 512 or head[0] == 0 or not _OCTAL.issuperset(head[148:156]):
        return False
    try:
        claimed = int(head[148:156].strip(b"\x00 "), 8)
    except ValueError:
        return False
    return claimed == sum(head[:148]) + 8 * 0x20 + sum(head[156:512])


def is_lzma_alone(head: bytes) -> bool:
    """Whether `head` is an .lzma header as the usual tools write it: properties 0x5d, a power of two, a likely size."""
    dictionary = int.from_bytes(head[1:5], "little")
    size = int.from_bytes(head[5:13], "little")
    return (
        len(head) > 13
        and dictionary.bit_count() == 1
        and dictionary >= 4096
        and (size == (1 << 64) - 1 or size < 1 << 38)
    )


def may_carry_zip(head: bytes) -> bool:
    """Whether a zip may be glued behind content that begins so: programs, scripts and unknown binary data."""
    if head.startswith(_INERT):
        return False
    text = not head[:1024].translate(None, _TEXT)
    return not text or head.startswith(_SCRIPT) or b"PK\x03\x04" in head
