"""What a file is, by its first bytes and never by its name. See `CONTENT_TYPES` for every answer.

Magic numbers are from the formats' own specifications (ELF gABI, PE/COFF, Mach-O loader.h, APPNOTE.TXT, [MS-CFB], ...).
"""

from __future__ import annotations

import codecs
import re

ELF = "application/x-elf"
PE = "application/vnd.microsoft.portable-executable"
DOS = "application/x-dosexec"  # MZ without a PE header within reach
MACHO = "application/x-mach-binary"
JAVA_CLASS = "application/java-vm"
JAR = "application/java-archive"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
SHELL = "text/x-shellscript"
SCRIPT = "text/x-script"  # a #! line with an interpreter not named below
TEXT = "text/plain"
EMPTY = "inode/x-empty"
BINARY = "application/octet-stream"

# Beginnings that decide alone.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", ELF),
    (b"\xfe\xed\xfa\xce", MACHO),
    (b"\xfe\xed\xfa\xcf", MACHO),
    (b"\xce\xfa\xed\xfe", MACHO),
    (b"\xcf\xfa\xed\xfe", MACHO),
    (b"\xca\xfe\xd0\x0d", "application/x-java-pack200"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x1f\x9d", "application/x-compress"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\x04\x22\x4d\x18", "application/x-lz4"),
    (b"\x02\x21\x4c\x18", "application/x-lz4"),
    (b"\x89LZO\x00\r\n\x1a\n", "application/x-lzop"),
    (b"LZIP", "application/x-lzip"),
    (b"BZh", "application/x-bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"MSCF", "application/vnd.ms-cab-compressed"),
    (b"070701", "application/x-cpio"),
    (b"070702", "application/x-cpio"),
    (b"070707", "application/x-cpio"),
    (b"\xc7\x71", "application/x-cpio"),
    (b"\xed\xab\xee\xdb", "application/x-rpm"),
    (b"hsqs", "application/x-squashfs"),
    (b"sqsh", "application/x-squashfs"),
    (b"shsq", "application/x-squashfs"),
    (b"XFSB", "application/x-xfs"),
    (b"UBI#", "application/x-ubi"),
    (b"\x31\x18\x10\x06", "application/x-ubifs"),
    (b"\x85\x19\x01\x20", "application/x-jffs2"),
    (b"\x85\x19\x03\x20", "application/x-jffs2"),
    (b"\x45\x3d\xcd\x28", "application/x-cramfs"),
    (b"QFI\xfb", "application/x-qemu-disk"),
    (b"KDMV", "application/x-vmdk"),
    (b"vhdxfile", "application/x-vhdx"),
    (b"conectix", "application/x-vhd"),
    (b"EVF\x09\x0d\x0a\xff\x00", "application/x-ewf"),
    (b"LUKS\xba\xbe", "application/x-luks"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"%PDF-", "application/pdf"),
    (b"%!PS", "application/postscript"),
    (b"{\\rtf", "application/rtf"),
    (b"-----BEGIN ", "application/x-pem-file"),
    (b"ssh-rsa ", "application/x-ssh-key"),
    (b"ssh-ed25519 ", "application/x-ssh-key"),
    (b"bplist00", "application/x-bplist"),
    (b"ElfFile\x00", "application/x-ms-evtx"),
    (b"regf", "application/x-ms-registry"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
    (b"ITSF", "application/vnd.ms-htmlhelp"),
    (b"LPKSHHRH", "application/x-systemd-journal"),
    (b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (b"\xa1\xb2\xc3\xd4", "application/vnd.tcpdump.pcap"),
    (b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (b"\x00asm", "application/wasm"),
    (b"BC\xc0\xde", "application/x-llvm-bitcode"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"BM", "image/bmp"),
    (b"OggS", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"\x00\x01\x00\x00\x00", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\xde\x12\x04\x95", "application/x-gettext-translation"),
    (b"\x95\x04\x12\xde", "application/x-gettext-translation"),
    (b"PACK\x00\x00\x00", "application/x-git-pack"),
    (b"\xfftOc", "application/x-git-index"),
)
_BY_FIRST: dict[int, tuple[tuple[bytes, str], ...]] = {}
for _begin, _name in _MAGIC:
    _BY_FIRST[_begin[0]] = (*_BY_FIRST.get(_begin[0], ()), (_begin, _name))

# Marks further in: offset, bytes, type.
_DEEP: tuple[tuple[int, bytes, str], ...] = (
    (257, b"ustar", "application/x-tar"),
    (1024, b"\xe2\xe1\xf5\xe0", "application/x-erofs"),
    (1080, b"\x53\xef", "application/x-ext-filesystem"),
    (512, b"EFI PART", "application/x-raw-disk-image"),
    (3, b"NTFS    ", "application/x-ntfs"),
    (54, b"FAT1", "application/x-fat"),
    (82, b"FAT32", "application/x-fat"),
    (12, b"\x61\x15\x06\x00", "application/x-berkeley-db"),
    (12, b"\x00\x06\x15\x61", "application/x-berkeley-db"),
    (4, b"ftyp", "video/mp4"),
    (510, b"\x55\xaa", "application/x-raw-disk-image"),
)
_BY_TYPE = {
    SHELL: "sh bash dash ash ksh mksh zsh busybox",
    "text/x-csh": "csh tcsh",
    "text/x-fish": "fish",
    "text/x-python": "python pypy",
    "text/x-perl": "perl",
    "text/x-ruby": "ruby",
    "text/x-php": "php",
    "text/x-lua": "lua luajit",
    "text/javascript": "node nodejs bun deno",
    "text/x-awk": "awk gawk mawk",
    "text/x-tcl": "tclsh wish expect",
    "text/x-powershell": "pwsh powershell",
    "text/x-applescript": "osascript",
    "text/x-makefile": "make",
    "text/x-sed": "sed",
}
_INTERPRETERS = {word: name for name, words in _BY_TYPE.items() for word in words.split()}
_VERSION_TAIL = re.compile(r"[0-9.]+$")
_OOXML = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_MAIL_HEADER = re.compile(
    rb"(?:Return-Path|Received|Message-ID|MIME-Version|Delivered-To|DKIM-Signature|From|Date|Subject|To): ", re.I
)
_TEXT_BYTES = frozenset([7, 8, 9, 10, 11, 12, 13, 27, *range(32, 127), *range(128, 256)])
_CONTROL = bytes(sorted(set(range(256)) - _TEXT_BYTES))
JAPANESE = ("cp932", "euc_jp", "iso2022_jp")

CONTENT_TYPES: frozenset[str] = frozenset(
    {name for _, name in _MAGIC} | {name for _, _, name in _DEEP} | {name for _, name in _OOXML}
    | set(_INTERPRETERS.values())
    | {
        PE, DOS, JAVA_CLASS, JAR, ZIP, SCRIPT, TEXT, EMPTY, BINARY, "application/vnd.debian.binary-package",
        "application/x-archive", "application/epub+zip", "application/vnd.android.package-archive",
        "application/vnd.openxmlformats-package", "application/json", "application/xml", "application/x-plist",
        "image/svg+xml", "text/html", "image/webp", "audio/wav", "video/x-msvideo", "message/rfc822",
    }
)  # fmt: skip
"""Every answer but the types that OpenDocument files carry in themselves (application/vnd.oasis.opendocument.*)."""


def content_type(head: bytes) -> str:
    """Return the type of a file that begins with `head` (4,096 bytes, or the whole of a shorter file)."""
    if not head:
        return EMPTY
    for begin, name in _BY_FIRST.get(head[0], ()):
        if head.startswith(begin) and (name != "image/bmp" or head[6:10] == bytes(4)):
            return name
    special = _SPECIAL.get(head[:2])
    found = special(head) if special else None
    return found or _text_type(head) or _deep(head) or BINARY


def _deep(head: bytes) -> str | None:
    for offset, mark, name in _DEEP:
        if head.startswith(mark, offset):
            return name
    return None


def _script(head: bytes) -> str:
    line = head[2:256].split(b"\n", 1)[0].decode("latin-1").split()
    words = [word.rsplit("/", 1)[-1] for word in line if not word.startswith("-") and "=" not in word]
    if words and words[0] == "env":
        words = words[1:]
    if not words:
        return SCRIPT
    return _INTERPRETERS.get(words[0]) or _INTERPRETERS.get(_VERSION_TAIL.sub("", words[0]), SCRIPT)


def _mz(head: bytes) -> str:
    at = int.from_bytes(head[60:64], "little")
    return PE if head.startswith(b"PE\0\0", at) or at > len(head) - 4 else DOS


def _cafe(head: bytes) -> str | None:
    """Java classes and fat Mach-O files begin alike: a class gives its version (45 and up), a fat file its parts."""
    if not head.startswith(b"\xca\xfe\xba\xbe") and not head.startswith(b"\xca\xfe\xba\xbf"):
        return None
    return JAVA_CLASS if int.from_bytes(head[4:8], "big") >= 45 else MACHO


def _zip(head: bytes) -> str | None:
    if head[2:4] not in (b"\x03\x04", b"\x05\x06", b"\x07\x08"):
        return None
    size = int.from_bytes(head[26:28], "little")
    first, data = head[30 : 30 + size], head[30 + size :]
    if first == b"mimetype":
        declared = data[: int.from_bytes(head[18:22], "little")]
        if re.fullmatch(rb"application/[a-z0-9.+-]{1,80}", declared):
            return declared.decode("ascii")
    if first.startswith(b"META-INF/"):
        return JAR
    if first in (b"AndroidManifest.xml", b"classes.dex"):
        return "application/vnd.android.package-archive"
    if first.startswith((b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"xl/", b"ppt/")):
        return next((name for mark, name in _OOXML if mark in head), "application/vnd.openxmlformats-package")
    return ZIP


def _archive(head: bytes) -> str | None:
    if not head.startswith((b"!<arch>\n", b"!<thin>\n")):
        return None
    return "application/vnd.debian.binary-package" if head.startswith(b"debian-binary", 8) else "application/x-archive"


def _riff(head: bytes) -> str | None:
    kinds = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
    return kinds.get(head[8:12]) if head.startswith(b"RIFF") else None


_SPECIAL = {b"#!": _script, b"MZ": _mz, b"\xca\xfe": _cafe, b"PK": _zip, b"!<": _archive, b"RI": _riff}


def _text_type(head: bytes) -> str | None:
    if not _is_text(head):
        return None
    text = head[3:] if head.startswith(codecs.BOM_UTF8) else head
    start = text[:512].lstrip()
    if start[:1] == b"<":
        return _markup(start)
    if start[:1] in (b"{", b"[") and _looks_like_json(start):
        return "application/json"
    return "message/rfc822" if _is_mail(start) else TEXT


def _markup(start: bytes) -> str:
    lower = start.lower()
    if b"<!doctype plist" in lower or b"<plist" in lower:
        return "application/x-plist"
    if b"<svg" in lower:
        return "image/svg+xml"
    if lower.startswith((b"<!doctype html", b"<html")) or b"<html" in lower:
        return "text/html"
    return "application/xml" if lower.startswith((b"<?xml", b"<!doctype")) else TEXT


def _looks_like_json(start: bytes) -> bool:
    inner = start[1:].lstrip()[:1]
    return inner in (b'"', b"}") if start[:1] == b"{" else inner in b'"{[]-0123456789tfn' and inner != b""


def _is_mail(start: bytes) -> bool:
    """Two header lines in a row; one alone also begins many a README."""
    first, _, rest = start.partition(b"\n")
    if not _MAIL_HEADER.match(first):
        return False
    following = rest.split(b"\n", 8)
    return any(_MAIL_HEADER.match(line) for line in following[:8])


def _is_text(head: bytes) -> bool:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return len(head) % 2 == 0 and not head.startswith(codecs.BOM_UTF32_LE)
    if head.isascii():
        return len(head.translate(None, _CONTROL)) == len(head)
    if len(head.translate(None, _CONTROL)) != len(head):
        return False
    return _decodes(head, "utf-8") or any(_decodes(head, name) for name in JAPANESE) or _mostly_latin(head)


def _decodes(head: bytes, encoding: str) -> bool:
    """Whether the bytes are text in `encoding`; the last character may be cut."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        decoder.decode(head, final=len(head) < 4096)
    except UnicodeDecodeError:
        return False
    return True


def _mostly_latin(head: bytes) -> bool:
    """Western single-byte text: few bytes above 0x9f, none in the C1 range."""
    high = sum(1 for byte in head if byte >= 0xA0)
    return high * 4 < len(head) and not any(0x80 <= byte < 0xA0 for byte in head)
