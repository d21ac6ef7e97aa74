"""squashfs 4.0 images: every regular file, read in place. Format: the kernel's squashfs_fs.h."""

from __future__ import annotations

from hinomi.evidence.archives.members import Members
from hinomi.evidence.archives.source import Source
from hinomi.evidence.archives.streams import UnsupportedError


def read_squashfs(source: Source) -> Members:
    raise UnsupportedError("archive.unsupported", cause="squashfs")
    yield
