"""POSIX access control lists as text, from the extended attributes that hold them (format: linux/posix_acl_xattr.h)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
LABEL = "security.selinux"
MAX_ENTRIES = 1024
_VERSION = 2
_ENTRY = struct.Struct("<HHI")
_TAGS = {0x01: "user", 0x02: "user", 0x04: "group", 0x08: "group", 0x10: "mask", 0x20: "other"}
_NAMED = (0x02, 0x08)


def acl_text(xattrs: Mapping[str, bytes]) -> str | None:
    """Return access and default entries in the short form of getfacl(1), by number; None where there are none."""
    parts = [_entries(xattrs[ACCESS], "")] if ACCESS in xattrs else []
    if DEFAULT in xattrs:
        parts.append(_entries(xattrs[DEFAULT], "default:"))
    return ",".join(part for part in parts if part) or None


def label_text(xattrs: Mapping[str, bytes]) -> str | None:
    """Return the SELinux label."""
    value = xattrs.get(LABEL)
    return None if value is None else value.rstrip(b"\0").decode("utf-8", "backslashreplace")


def _entries(value: bytes, prefix: str) -> str:
    """Return one list; what is no list of the known version is shown as it stands."""
    body = value[4:]
    if len(value) < 4 or int.from_bytes(value[:4], "little") != _VERSION or len(body) % _ENTRY.size:
        return f"{prefix}?{value[:64].hex()}"
    found = list(_ENTRY.iter_unpack(body))[:MAX_ENTRIES]
    return ",".join(prefix + _entry(*entry) for entry in found)


def _entry(tag: int, rights: int, number: int) -> str:
    who = str(number) if tag in _NAMED else ""
    letters = "".join(letter if rights & bit else "-" for letter, bit in (("r", 4), ("w", 2), ("x", 1)))
    return f"{_TAGS.get(tag, f'{tag:#x}')}:{who}:{letters}"
