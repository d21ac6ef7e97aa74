"""What a reparse point of NTFS is: a link, or a file whose content is kept elsewhere. Format: [MS-FSCC] 2.1.2."""

from __future__ import annotations

import re
import struct

INTERIX = b"IntxLNK\x01"  # how Interix, and Linux's driver after it, write a link into a file
_SYMLINK, _MOUNT_POINT, _LX_SYMLINK = 0xA000000C, 0xA0000003, 0xA000001D
_CLOSED = {
    0x80000017: "compressed for the system (WOF)",
    0x80000013: "deduplicated by Windows Server",
}
_DRIVE = re.compile(r"^(?:\\\?\?\\|\\\\\?\\)?[A-Za-z]:")


def link_target(raw: bytes) -> bytes | None:
    """Return where a link leads, as a path with slashes and without drive; None where the point is no link."""
    if len(raw) < 16:
        return None
    tag = int.from_bytes(raw[:4], "little")
    if tag == _LX_SYMLINK:
        return raw[12:]
    if tag not in (_SYMLINK, _MOUNT_POINT):
        return None
    start = 20 if tag == _SYMLINK else 16
    offset, length = struct.unpack_from("<HH", raw, 8)
    text = raw[start + offset : start + offset + length].decode("utf-16-le", "replace")
    return _DRIVE.sub("", text).replace("\\", "/").encode("utf-8", "replace")


def reparse_kind(raw: bytes) -> str:
    """Return in words why a file with this reparse point stays closed."""
    tag = int.from_bytes(raw[:4], "little")
    return _CLOSED.get(tag, f"its content is kept elsewhere (reparse point {tag:#010x})")
