"""When a kernel says that it was built: the banner in it, and the time in a U-Boot header.

Formats: Documentation/arch/x86/boot.rst and arm64/booting.rst of Linux, include/image.h of U-Boot.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from hinomi.evidence.trust.dates import EARLIEST, first_date
from hinomi.model.tables.trust import Build

MAX_SEARCHED = 64 << 20
STEP = 1 << 20
_BANNER = re.compile(rb"Linux version (\d[\w.+~-]{1,100}) [\x20-\x7e]{10,400}")
_U_BOOT = b"\x27\x05\x19\x56"


def kernel_form(name: bytes, head: bytes) -> str | None:
    """Return how a kernel's stamp is found, by a file's first bytes: bzimage, u-boot or banner; None for others."""
    if head[0x202:0x206] == b"HdrS":
        return "bzimage"
    if head.startswith(_U_BOOT):
        return "u-boot"
    if head[0x38:0x3C] == b"ARM\x64" or (head.startswith(b"\x7fELF") and name.startswith((b"vmlinux", b"kernel"))):
        return "banner"
    return None


def kernel_row(path: str, form: str, file: BinaryIO) -> Build | None:
    """Return what a kernel says of its building; None where it says nothing."""
    if form == "u-boot":
        return _of_header(path, file.read(64))
    banner = _of_setup(file) if form == "bzimage" else _searched(file)
    if banner is None:
        return None
    version, _, rest = banner.partition(" ")
    return Build(path=path, kind="kernel", name="banner", version=version, built_at=first_date(rest.partition("#")[2]))


def _of_header(path: str, head: bytes) -> Build | None:
    stamp = int.from_bytes(head[8:12], "big")
    if len(head) < 64 or stamp < EARLIEST:
        return None
    name = head[32:64].split(b"\0")[0].decode("ascii", "replace")
    return Build(path=path, kind="boot-image", name=name, built_at=float(stamp))


def _of_setup(file: BinaryIO) -> str | None:
    """The boot sector's header points at a text: release, builder, number and date."""
    head = file.read(1 << 16)
    at = int.from_bytes(head[0x20E:0x210], "little") + 0x200
    text = head[at : at + 500].split(b"\0")[0].decode("ascii", "replace")
    return text if re.match(r"\d+\.\d", text) else None


def _searched(file: BinaryIO) -> str | None:
    kept = b""
    for _ in range(MAX_SEARCHED // STEP):
        data = file.read(STEP)
        match = _BANNER.search(kept + data)
        if match is not None:
            return match.group()[len("Linux version ") :].decode("ascii", "replace")
        if not data:
            break
        kept = data[-600:]
    return None
