"""Windows shortcuts (.lnk, MS-SHLLINK): where they lead and with which arguments. Raises nothing but `ParseError`."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hinomi.model.errors import ParseError

_CLSID = bytes.fromhex("0114020000000000c000000000000046")
_HAS_ID_LIST, _HAS_INFO, _UNICODE = 0x1, 0x2, 0x80
_STRINGS = ((0x4, "name"), (0x8, "relative"), (0x10, "folder"), (0x20, "arguments"), (0x40, "icon"))


@dataclass(frozen=True, slots=True)
class Shortcut:
    """What a shortcut starts: `target` is an absolute path (or a relative one where it holds no other)."""

    target: str | None
    arguments: str | None
    folder: str | None


def is_shortcut(data: bytes) -> bool:
    """Whether the content is a shortcut's."""
    return data[:4] == b"\x4c\0\0\0" and data[4:20] == _CLSID


def read_shortcut(data: bytes) -> Shortcut:
    """Read a shortcut; `ParseError` where it is none or is cut short."""
    if len(data) < 76 or not is_shortcut(data):
        raise ParseError("shortcut-unreadable", cause="no shortcut header")
    try:
        flags = struct.unpack_from("<I", data, 20)[0]
        position = 76
        if flags & _HAS_ID_LIST:
            position += 2 + struct.unpack_from("<H", data, position)[0]
        target = None
        if flags & _HAS_INFO:
            size = struct.unpack_from("<I", data, position)[0]
            target = _local_path(data[position : position + size])
            position += max(size, 4)
        strings = _strings(data, position, flags)
    except struct.error as error:
        raise ParseError("shortcut-unreadable", cause="cut short") from error
    return Shortcut(target or strings.get("relative"), strings.get("arguments"), strings.get("folder"))


def _local_path(info: bytes) -> str | None:
    header, flags, _, base, _, _ = struct.unpack_from("<6I", info, 4)
    if not flags & 1:
        return None
    if header >= 0x24:
        wide = struct.unpack_from("<I", info, 28)[0]
        return _wide(info, wide)
    end = info.find(b"\0", base)
    return info[base : end if end >= 0 else len(info)].decode("cp932", "replace") or None


def _wide(info: bytes, start: int) -> str | None:
    end = start
    while 0 < end + 1 < len(info) and info[end : end + 2] != b"\0\0":
        end += 2
    return info[start:end].decode("utf-16-le", "replace") or None


def _strings(data: bytes, position: int, flags: int) -> dict[str, str]:
    found: dict[str, str] = {}
    width = 2 if flags & _UNICODE else 1
    for bit, name in _STRINGS:
        if flags & bit:
            count = struct.unpack_from("<H", data, position)[0] * width
            raw = data[position + 2 : position + 2 + count]
            found[name] = raw.decode("utf-16-le" if width == 2 else "cp932", "replace")
            position += 2 + count
    return found
