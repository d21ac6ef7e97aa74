"""Inode flags as chattr(1) sets them, in the letters of lsattr(1) (values: linux/fs.h, FS_*_FL)."""

from __future__ import annotations

from functools import cache

LETTERS: tuple[tuple[int, str], ...] = (
    (0x00000001, "s"),  # secure deletion
    (0x00000002, "u"),  # undeletable
    (0x00000008, "S"),  # synchronous
    (0x00010000, "D"),  # synchronous folder
    (0x00000010, "i"),  # immutable
    (0x00000020, "a"),  # append only
    (0x00000040, "d"),  # no dump
    (0x00000080, "A"),  # no access times
    (0x00000004, "c"),  # compressed
    (0x00000800, "E"),  # encrypted
    (0x00004000, "j"),  # data journal
    (0x00008000, "t"),  # no tail merging
    (0x00020000, "T"),  # top of folder hierarchies
    (0x00800000, "C"),  # no copy on write
    (0x02000000, "x"),  # direct access
    (0x40000000, "F"),  # names without regard to case
    (0x20000000, "P"),  # project inherited
    (0x00100000, "V"),  # verity
)
# Bits of statx(2) that mean the same: compressed, immutable, append, no dump, encrypted, verity
STATX = 0x00000004 | 0x00000010 | 0x00000020 | 0x00000040 | 0x00000800 | 0x00100000


@cache
def flag_letters(flags: int | None) -> str | None:
    """Return the letters of the flags that are set; None where they are not known.

    How the kernel lays a file out (extents, index, huge, inline) is not a flag that anybody sets, and left out.
    """
    if flags is None:
        return None
    return "".join(letter for bit, letter in LETTERS if flags & bit)
