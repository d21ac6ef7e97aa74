"""Writes RAR archives of stored members, version 4 and 5 (RARLAB's technical notes), and marks members as it is told."""

from __future__ import annotations

import struct
import zlib

MARK_4, MARK_5 = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"


def block_4(kind, flags, body, data=b""):
    head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
    return struct.pack("<H", zlib.crc32(head[:11] if kind == 0x73 else head) & 0xFFFF) + head + data


def file_4(name, data, method=0, flags=0, size=None):
    length = len(data) if size is None else size
    body = struct.pack(
        "<IIBIIBBHI", len(data), length, 3, zlib.crc32(data), 0x538A0000, 29, 0x30 + method, len(name), 0o644
    )
    return block_4(0x74, 0x8000 | flags, body + name, data)


def rar_4(members, archive_flags=0, **options):
    files = b"".join(file_4(name.encode(), data, **options) for name, data in members.items())
    folder = block_4(0x74, 0x80E0, struct.pack("<IIBIIBBHI", 0, 0, 3, 0, 0, 29, 0x30, 3, 0o755) + b"dir")
    return MARK_4 + block_4(0x73, archive_flags, bytes(6)) + folder + files + block_4(0x7B, 0x4000, b"")


def number(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def block_5(kind, flags, fields, extra=b"", data=b""):
    flags |= (1 if extra else 0) | (2 if data else 0)
    sizes = (number(len(extra)) if extra else b"") + (number(len(data)) if data else b"")
    body = number(kind) + number(flags) + sizes + fields + extra
    whole = number(len(body)) + body
    return struct.pack("<I", zlib.crc32(whole)) + whole + data


def file_5(name, data, method=0, flags=0, size=None, encrypted=False, folder=False):
    length = len(data) if size is None else size
    fields = number(6 | folder) + number(length) + number(0o644) + struct.pack("<II", 1638316800, zlib.crc32(data))
    fields += number(method << 7) + number(1) + number(len(name)) + name
    extra = number(5) + number(3) + bytes(4) + (number(3) + number(1) + bytes(2) if encrypted else b"")
    return block_5(2, flags, fields, extra, data)


def rar_5(members, **options):
    files = b"".join(file_5(name.encode(), data, **options) for name, data in members.items())
    return MARK_5 + block_5(1, 0, number(0)) + file_5(b"dir", b"", folder=True) + files + block_5(5, 0, number(0))
