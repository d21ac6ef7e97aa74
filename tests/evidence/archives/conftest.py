"""Containers written on the spot around one jar."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile

import pytest


def tar_of(members, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def cpio_of(members):
    out = b""
    for number, (name, data) in enumerate([*members.items(), ("TRAILER!!!", b"")]):
        raw = name.encode() + b"\0"
        fields = [number, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
        head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        out += head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
    return out


def old_cpio_of(members):
    out = b""
    for name, data in [*members.items(), ("TRAILER!!!", b"")]:
        raw = name.encode() + b"\0"
        numbers = [0, 1, 0o100644, 0, 0, 1, 0, 0, len(raw), len(data)]
        widths = [6, 6, 6, 6, 6, 6, 6, 11, 6, 11]
        out += b"070707" + b"".join(f"{n:0{w}o}".encode() for n, w in zip(numbers, widths, strict=True)) + raw + data
    return out


def ar_of(members):
    out = b"!<arch>\n"
    for name, data in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) & 1)
    return out


def rpm_of(payload):
    lead = b"\xed\xab\xee\xdb" + b"\0" * 92
    empty = b"\x8e\xad\xe8\x01\0\0\0\0" + (1).to_bytes(4, "big") + (4).to_bytes(4, "big") + b"\0" * 20
    signature = empty + b"\0" * (-len(lead + empty) % 8)
    return lead + signature + empty + payload


def iso_of(members):
    sector = 2048

    def both(number, size):
        return number.to_bytes(size, "little") + number.to_bytes(size, "big")

    def record(name, extent, size, flags):
        body = b"\0" + both(extent, 4) + both(size, 4) + b"\0" * 7 + bytes([flags]) + b"\0\0" + both(1, 2)
        body += bytes([len(name)]) + name + b"\0" * (1 - len(name) % 2)
        return bytes([len(body) + 1]) + body

    root_at, at = 18, 19
    records, blocks = record(b"\0", root_at, sector, 2) + record(b"\1", root_at, sector, 2), b""
    for name, data in members.items():
        records += record(name.encode() + b";1", at, len(data), 0)
        padded = data + b"\0" * (-len(data) % sector)
        blocks += padded
        at += len(padded) // sector
    volume = (b"\x01CD001\x01\0" + b"\0" * 148 + record(b"\0", root_at, sector, 2)).ljust(sector, b"\0")
    end = b"\xffCD001\x01".ljust(sector, b"\0")
    return b"\0" * 16 * sector + volume + end + records.ljust(sector, b"\0") + blocks


def lz4_of(data):
    """Frames of stored and of literal-only blocks."""
    head = b"\x04\x22\x4d\x18\x60\x40\x82"
    out, half = head, len(data) // 2
    for index, piece in enumerate(data[n : n + 60000] for n in range(0, len(data), 60000)):
        if index % 2 == 0 and half:
            out += (len(piece) | 0x80000000).to_bytes(4, "little") + piece
        else:
            rest = len(piece) - 15
            block = (
                b"\xf0" + b"\xff" * (rest // 255) + bytes([rest % 255]) if rest >= 0 else bytes([len(piece) << 4])
            ) + piece
            out += len(block).to_bytes(4, "little") + block
    return out + b"\0\0\0\0"


WRAPPERS = {
    "plain": lambda jar: jar,
    "tar": lambda jar: tar_of({"a/core.dat": jar}),
    "tar-pax": lambda jar: tar_of({"n" * 180 + "/é.bin": jar}, tarfile.PAX_FORMAT),
    "tar-long": lambda jar: tar_of({"n" * 180 + "/x": jar}),
    "tar-gz": lambda jar: gzip.compress(tar_of({"x": jar})),
    "tar-bz2": lambda jar: bz2.compress(tar_of({"x": jar})),
    "tar-xz": lambda jar: lzma.compress(tar_of({"x": jar})),
    "tar-lzma": lambda jar: lzma.compress(tar_of({"x": jar}), lzma.FORMAT_ALONE),
    "tar-in-tar": lambda jar: tar_of({"layer": tar_of({"opt/x": jar})}),
    "two-gz-members": lambda jar: gzip.compress(tar_of({"x": jar})[:700]) + gzip.compress(tar_of({"x": jar})[700:]),
    "jar-gz": gzip.compress,
    "jar-xz": lzma.compress,
    "jar-bz2": bz2.compress,
    "jar-lz4": lz4_of,
    "cpio": lambda jar: cpio_of({"etc/x": jar}),
    "cpio-odc": lambda jar: old_cpio_of({"etc/x": jar}),
    "cpio-then-gz": lambda jar: cpio_of({"kernel/micro": b"m"}) + gzip.compress(cpio_of({"x": jar})),
    "ar": lambda jar: ar_of({"odd": b"x", "core": jar}),
    "deb": lambda jar: ar_of({"debian-binary": b"2.0\n", "data.tar.xz": lzma.compress(tar_of({"./x": jar}))}),
    "rpm": lambda jar: rpm_of(gzip.compress(cpio_of({"./x": jar}))),
    "iso": lambda jar: iso_of({"README": b"text", "CORE.DAT": jar}),
    "jmod": lambda jar: b"JM\x01\x00" + jar,
    "script": lambda jar: b"#!/bin/sh\nexec java -jar $0\n" + b"# pad\n" * 900 + jar,
    "small-script": lambda jar: b"#!/bin/sh\nexec java -jar $0\n" + jar,
    "exe": lambda jar: b"MZ\x90\x00" + bytes(range(256)) * 40 + jar,
    "trailing-bytes": lambda jar: jar + b"\0" * 300,
}


@pytest.fixture(params=WRAPPERS)
def wrapped(request):
    """Return a function that wraps a jar in one kind of container."""
    return WRAPPERS[request.param]


@pytest.fixture(scope="session")
def containers():
    """Return the writers of containers by name."""
    return {"tar": tar_of, "cpio": cpio_of, "ar": ar_of, "iso": iso_of, "lz4": lz4_of}
