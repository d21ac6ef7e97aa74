"""Writes small NTFS volumes: files, folders, alternate streams, links, compressed data. Everything in them is inert."""

from __future__ import annotations

import struct

CLUSTER, RECORD, ROOT = 4096, 1024, 5
WHEN = 1_600_000_000
TICKS = (WHEN + 11_644_473_600) * 10_000_000


def attribute(kind, value, name="", number=0):
    """Return a resident attribute."""
    text = name.encode("utf-16-le")
    at = 24 + -(-len(text) // 8) * 8
    size = at + -(-len(value) // 8) * 8
    head = struct.pack("<IIBBHHHIHH", kind, size, 0, len(name), 24, 0, number, len(value), at, 0)
    return (head + text).ljust(at, b"\0") + value.ljust(size - at, b"\0")


def apart(kind, runs, size, flags=0, unit=0, number=0, name=""):
    """Return an attribute whose data lie in clusters; runs are (clusters, first cluster or None for a hole)."""
    body, before, count = b"", 0, 0
    for length, place in runs:
        count += length
        if place is None:
            body += b"\x04" + struct.pack("<I", length)
        else:
            body += b"\x44" + struct.pack("<Ii", length, place - before)
            before = place
    body += b"\0"
    text = name.encode("utf-16-le")
    at = 64 + -(-len(text) // 8) * 8
    full = at + -(-len(body) // 8) * 8
    head = struct.pack("<IIBBHHH", kind, full, 1, len(name), 64, flags, number)
    head += struct.pack("<QQHHIQQQ", 0, count - 1, at, unit, 0, count * CLUSTER, size, size)
    return (head + text).ljust(at, b"\0") + body.ljust(full - at, b"\0")


def file_name(name, parent=ROOT, space=1):
    """Return the value of a name attribute."""
    return struct.pack("<Q4Q2QIIBB", parent | 1 << 48, *[TICKS] * 4, 0, 0, 0, 0, len(name), space) + name.encode(
        "utf-16-le"
    )


def index(entries):
    """Return the value of a folder's index: (record, name) each, all in the root of the tree."""
    body = b""
    for number, name in entries:
        key = file_name(name)
        size = 16 + -(-len(key) // 8) * 8
        body += (struct.pack("<QHHI", number | 1 << 48, size, len(key), 0) + key).ljust(size, b"\0")
    body += struct.pack("<QHHI", 0, 16, 0, 2)
    return struct.pack("<IIIIIIII", 0x30, 1, 4096, 1, 16, 16 + len(body), 16 + len(body), 0) + body


def record(attributes, folder=False):
    """Return a record of the table, its sectors' ends kept apart."""
    body = b"".join(attributes) + b"\xff\xff\xff\xff\0\0\0\0"
    head = struct.pack(
        "<4sHHQHHHHIIQHHI", b"FILE", 48, 3, 0, 1, 1, 56, 3 if folder else 1, 56 + len(body), RECORD, 0, 9, 0, 0
    )
    raw = bytearray((head.ljust(56, b"\0") + body).ljust(RECORD, b"\0"))
    assert len(raw) == RECORD, "attributes do not fit"
    raw[48:50] = b"\x07\x00"
    for sector in (1, 2):
        end = sector * 512
        raw[48 + 2 * sector : 50 + 2 * sector] = raw[end - 2 : end]
        raw[end - 2 : end] = b"\x07\x00"
    return bytes(raw)


def symlink(target):
    """Return the value of a symbolic link's reparse point."""
    text = target.encode("utf-16-le")
    return struct.pack("<IHHHHHHI", 0xA000000C, 12 + len(text), 0, 0, len(text), 0, len(text), 1) + text


def literal_lznt1(plain):
    """Return LZNT1 data that say everything twice as long as it was: every byte a literal."""
    out = b""
    for at in range(0, len(plain), 4096):
        part = plain[at : at + 4096]
        body = b"".join(b"\0" + part[n : n + 8] for n in range(0, len(part), 8))
        out += (
            struct.pack("<H", 0xB000 | len(body) - 1) + body if len(body) <= 4096 else struct.pack("<H", 0x3FFF) + part
        )
    return out + b"\0\0"


def volume(folders, files, data=b"", dirty=False):
    """Return a volume: `folders` are {record: (attributes, [(record, name)])}, `files` {record: attributes}.

    `data` stand at cluster 64, behind the table.
    """
    standard = attribute(0x10, struct.pack("<4QI", *[TICKS] * 4, 0).ljust(48, b"\0"))
    count = max([31, *folders, *files]) + 1
    records = {0: [standard, apart(0x80, [(-(-count * RECORD // CLUSTER), 4)], count * RECORD)]}
    records[3] = [standard, attribute(0x70, bytes(8) + b"\x03\x01" + bytes([dirty, 0]))]
    table = b""
    for number in range(count):
        if number in folders:
            more, entries = folders[number]
            table += record([standard, *more, attribute(0x90, index(entries), "$I30")], folder=True)
        else:
            found = records.get(number) or ([standard, *files[number]] if number in files else None)
            table += record(found) if found else bytes(RECORD)
    boot = bytearray(512)
    boot[3:11] = b"NTFS    "
    struct.pack_into("<HB", boot, 11, 512, CLUSTER // 512)
    struct.pack_into("<QQQ", boot, 40, 4096, 4, 4)
    boot[64:65] = struct.pack("b", -10)
    boot[510:512] = b"\x55\xaa"
    return (bytes(boot).ljust(4 * CLUSTER, b"\0") + table).ljust(64 * CLUSTER, b"\0") + data
