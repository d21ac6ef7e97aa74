"""What an image's packing tells: gzip header, superblocks, cpio numbering. Facts only; a rule weighs them.

Formats: RFC 1952 (gzip), the kernel's ext4 and squashfs documentation, cpio(5).
"""

from __future__ import annotations

from typing import Any

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.deflate import compressor_of
from hinomi.evidence.images.ext import ExtTree
from hinomi.evidence.images.squash import SquashTree
from hinomi.evidence.images.tree import BuiltTree, Tree
from hinomi.model.tables.images import ImageRow
from hinomi.model.text import path_text, printable

_HEADER_CRC = 0x02
_NAME = 0x08
_EXTRA = 0x04
_EFFORTS = {2: "best", 4: "fastest"}
MAX_NAME = 255


def image_row(path: str, source: Source, tree: Tree) -> ImageRow:
    """Return the row of an opened image; `source` is the file that holds it."""
    facts: dict[str, Any] = _gzip(source)
    if isinstance(tree, ExtTree):
        facts |= _ext(tree)
    elif isinstance(tree, SquashTree):
        facts["made_at"] = float(tree.made_at)
    elif isinstance(tree, BuiltTree):
        facts |= tree.packing
    return ImageRow(path=path, kind=tree.kind, size=source.size, **facts)


def _gzip(source: Source) -> dict[str, Any]:
    head = source.read_at(0, 10 + 2 + 65535 + MAX_NAME + 1)
    if head[:3] != b"\x1f\x8b\x08" or len(head) < 10:
        return {}
    at = 10
    if head[3] & _EXTRA:
        at += 2 + int.from_bytes(head[10:12], "little")
    name = b""
    if head[3] & _NAME:
        name, _, _ = head[at:].partition(b"\0")
        at += len(name) + 1
    at += 2 if head[3] & _HEADER_CRC else 0
    return {
        "gzip": True,
        "gzip_name": printable(path_text(name[:MAX_NAME])) or None,
        "gzip_mtime": float(int.from_bytes(head[4:8], "little")) or None,
        "gzip_effort": _EFFORTS.get(head[8], "other"),
        "gzip_tool": compressor_of(source, at, head[8]),
    }


def _ext(tree: ExtTree) -> dict[str, Any]:
    sb = tree.superblock
    return {
        "made_at": float(sb.made_at) or None,
        "mounted_at": float(sb.mounted_at) or None,
        "written_at": float(sb.written_at) or None,
        "mount_count": sb.mount_count,
        "last_mounted": printable(path_text(sb.last_mounted)) or None,
        "kilobytes_written": sb.kilobytes_written,
    }
