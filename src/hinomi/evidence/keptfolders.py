"""The answers for all files of one folder together: where none of them changed, one look-up serves the whole folder."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import NamedTuple

from hinomi.evidence.reading import Reading
from hinomi.evidence.target import Owner
from hinomi.evidence.view import Entry

MAX_FILES = 50_000  # of larger folders, each file is looked up by itself
MAX_BYTES = 8 << 20
_IDENTITY = struct.Struct("<QQQqqI")
_LENGTH = struct.Struct("<I")
_U64 = (1 << 64) - 1

Place = tuple[int, int]  # device, file system's id


class KeptFolder(NamedTuple):
    """A folder none of whose files changed: its entries, each with its reading, None for what is no regular file, and
    the package that owns it.
    """

    entries: Sequence[Entry]
    readings: list[Reading | None]
    owners: list[Owner | None]


class Gathering:
    """Answers of one folder as they come, in order; whole once each regular file has one that may be kept."""

    __slots__ = ("answers", "left", "path", "place", "size", "sound", "stamp")

    def __init__(self, place: Place, path: bytes, stamp: bytes, files: int) -> None:
        """Begin; `stamp` is of the folder as it was listed."""
        self.place = place
        self.path = path
        self.stamp = stamp
        self.answers: list[bytes] = []
        self.left = files
        self.size = 0
        self.sound = True

    def add(self, answer: bytes | None) -> bool:
        """Take the next file's answer, None where it may not be kept; return whether the folder is whole."""
        self.left -= 1
        if answer is None or not self.sound or self.size > MAX_BYTES:
            self.sound = False
            self.answers.clear()
            return False
        self.answers.append(answer)
        self.size += len(answer)
        return self.left == 0


def stamp_of(entries: Sequence[Entry]) -> bytes | None:
    """Return a digest over names, inodes, sizes and times of a folder's regular files; None where one cannot be told
    from a later state of itself, where there is none or where there are too many.
    """
    pack = _IDENTITY.pack
    parts: list[bytes] = []
    for entry in entries:
        if entry[1] != "file":
            continue
        path, _, size, _, _, _, inode, device, links, _, _, _, _, _, mtime, ctime, _ = entry
        if mtime is None or ctime is None or links != 1:
            return None
        parts += (pack(device & _U64, inode & _U64, size & _U64, mtime, ctime, len(path)), path)
    if not 0 < len(parts) <= 2 * MAX_FILES:
        return None
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def joined(answers: Sequence[bytes]) -> bytes:
    """Return answers as one text."""
    return b"".join(part for answer in answers for part in (_LENGTH.pack(len(answer)), answer))


def parted(body: bytes) -> list[bytes]:
    """Return the answers; `ValueError` where the text is cut."""
    answers = []
    at, end = 0, len(body)
    while at < end:
        if at + _LENGTH.size > end:
            raise ValueError("cut in a length")
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(body, at)[0]
        if at > end:
            raise ValueError("cut in an answer")
        answers.append(body[start:at])
    return answers
