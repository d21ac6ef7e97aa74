"""What an image is, by its content; names are never asked.

Sources for the magic numbers: the formats' own documents, the kernel's headers, UEFI 2.10 (GPT), qcow2.txt of QEMU.
"""

from __future__ import annotations

import zlib

from hinomi.evidence.archives.kinds import ISO_MAGIC_AT, STREAMS, sniff
from hinomi.evidence.archives.source import Source

FILE_SYSTEMS = ("ext", "squashfs", "fat", "iso", "xfs", "btrfs", "erofs", "ntfs", "exfat", "ubifs", "jffs2")
DISKS = ("qcow2", "vmdk", "vhd", "vhdx", "ewf")
CLOSED = (
    "luks",
    "bitlocker",
    "squashfs-be",
    "squashfs-old",
    "cramfs",
    "romfs",
    "f2fs",
    "apfs",
    "vmfs",
    "hfs+",
)
OPENED = (
    "tar", "oci", "cpio", "zip", "7z", "rar", "ar", "rpm", *FILE_SYSTEMS, "disk", "lvm", "ubi", *DISKS,
    *sorted(STREAMS),
)  # fmt: skip
HEAD = 2048  # bytes by which all but a few kinds are told

# (where, magic, kind); the first that fits decides.
_MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"QFI\xfb", "qcow2"),
    (0, b"KDMV", "vmdk"),
    (0, b"COWD", "vmdk"),
    (0, b"# Disk DescriptorFile", "vmdk"),
    (0, b"vhdxfile", "vhdx"),
    (0, b"conectix", "vhd"),
    (0, b"EVF\x09\x0d\x0a\xff\x00", "ewf"),
    (0, b"EVF2\r\n\x81\x00", "ewf"),
    (0, b"LUKS\xba\xbe", "luks"),
    (0, b"-FVE-FS-", "bitlocker"),
    (3, b"-FVE-FS-", "bitlocker"),
    (0, b"XFSB", "xfs"),
    (0, b"sqsh", "squashfs-be"),
    (0, b"shsq", "squashfs-old"),
    (0, b"UBI#", "ubi"),
    (0, b"\x31\x18\x10\x06", "ubifs"),
    (0, b"\x45\x3d\xcd\x28", "cramfs"),
    (0, b"\x28\xcd\x3d\x45", "cramfs"),
    (0, b"-rom1fs-", "romfs"),
    (512, b"LABELONE", "lvm"),
    (3, b"NTFS    ", "ntfs"),
    (3, b"EXFAT   ", "exfat"),
    (32, b"NXSB", "apfs"),
    (1024, b"H+\x00\x04", "hfs+"),
    (1024, b"HX\x00\x05", "hfs+"),
    (1024, b"\xe2\xe1\xf5\xe0", "erofs"),
    (1024, b"\x10\x20\xf5\xf2", "f2fs"),
)
_FAR: tuple[tuple[int, bytes, str], ...] = (
    (ISO_MAGIC_AT, b"CD001", "iso"),
    (0x10040, b"_BHRfS_M", "btrfs"),
    (0x100000, b"\x0d\xd0\x01\xc0", "vmfs"),
    (0x200000, b"\x5e\xf1\xab\x2f", "vmfs"),
)


def recognise(source: Source) -> str | None:
    """Return the kind of an image, opened here or not; None for what is none."""
    head = source.read_at(0, HEAD)
    kind = recognise_head(head)
    if kind not in (None, "disk", "fat"):
        return kind
    for at, magic, far in _FAR:
        if source.read_at(at, len(magic)) == magic:
            return far
    if kind is None and source.size >= 512 and source.read_at(source.size - 512, 8) == b"conectix":
        return "vhd"
    return kind


def recognise_head(head: bytes) -> str | None:
    """Return the kind by the first 2 KiB."""
    for at, magic, kind in _MAGICS:
        if head.startswith(magic, at):
            return kind
    if head[1080:1082] == b"\x53\xef" and _like_ext(head[1024:2048]):
        return "ext"
    if _like_jffs2(head):
        return "jffs2"
    found = sniff(head[:512])
    if found is not None and found != "class":
        return "zip" if found == "jmod" else found
    if head[510:512] == b"\x55\xaa":
        return "fat" if head[54:57] == b"FAT" or head[82:87] == b"FAT32" else _like_disk(head)
    return None


def _like_ext(block: bytes) -> bool:
    """Whether a superblock's block size and revision are possible: two magic bytes alone are met by chance."""
    return int.from_bytes(block[24:28], "little") <= 6 and int.from_bytes(block[76:80], "little") <= 1


def _like_jffs2(head: bytes) -> bool:
    """Whether a node's header stands at the start: its mark in either byte order, and the right check sum over it."""
    if head[:2] not in (b"\x85\x19", b"\x19\x85") or len(head) < 12:
        return False
    crc = zlib.crc32(head[:8], 0xFFFFFFFF) ^ 0xFFFFFFFF
    return crc == int.from_bytes(head[8:12], "little" if head[0] == 0x85 else "big")


def _like_disk(head: bytes) -> str | None:
    """Whether a boot sector holds a plausible partition table."""
    entries = [head[446 + 16 * n : 462 + 16 * n] for n in range(4)]
    used = [e for e in entries if e[4] and int.from_bytes(e[12:16], "little")]
    return "disk" if used and all(e[0] in (0, 0x80) for e in entries) else None
