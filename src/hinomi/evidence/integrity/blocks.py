"""Folders as the blocks of their file system have them, beside what the kernel lists: for live ext2, ext3 and ext4.

The kernel keeps ext's folders in the block device's own cache, so that reading the device shows what is there now, not
what was there at the last sync. Of other file systems the device may lag behind: they are left out, and that is said.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import DiskSource
from hinomi.evidence.images.ext import ExtTree
from hinomi.evidence.images.tree import Node, as_damage
from hinomi.model.errors import ParseError

MAX_MOUNTINFO = 16 << 20
_SAME_TIME = 1e-5  # seconds: what a float keeps of nanoseconds
_ENCRYPTED = 0x800  # EXT4_ENCRYPT_FL: names on disk are not those that are listed
_READABLE = frozenset({"ext2", "ext3", "ext4"})
COUNTING = _READABLE | {"xfs", "tmpfs"}  # file systems whose folders count their sub-folders as links
MANY_LINKS = 65_000  # ext4 gives up counting above


class UnseenError(Exception):
    """Why a folder could not be read from its blocks; the message is a word for the coverage."""


def file_systems() -> dict[int, str]:
    """Return {device: type} of what is mounted here (format: proc(5), mountinfo)."""
    found: dict[int, str] = {}
    with suppress(OSError), open("/proc/self/mountinfo", "rb") as file:
        for line in file.read(MAX_MOUNTINFO).splitlines():
            fields = line.decode("utf-8", "replace").split(" ")
            with suppress(ValueError, IndexError):
                major, minor = map(int, fields[2].split(":"))
                found[os.makedev(major, minor)] = fields[fields.index("-", 6) + 1]
    return found


@dataclass(slots=True)
class Blocks:
    """One mounted file system, read through its device and never written."""

    source: Source

    @classmethod
    def of(cls, device: int, kind: str) -> Blocks:
        """Open the device; `UnseenError` where there is none, it may not be read, or nothing here reads it live."""
        if kind not in _READABLE:
            raise UnseenError("no-live-reader")
        path = _node_of(device)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except PermissionError as error:
            raise UnseenError("no-permission") from error
        except OSError as error:
            raise UnseenError("no-block-device") from error
        info = os.fstat(fd)
        if not stat.S_ISBLK(info.st_mode) or info.st_rdev != device:
            os.close(fd)
            raise UnseenError("no-block-device")
        return cls(DiskSource(fd, os.lseek(fd, 0, os.SEEK_END)))

    def names(self, info: os.stat_result) -> dict[bytes, int]:
        """Return {name: inode} of a folder, if its blocks are of the moment that `info` is of.

        `UnseenError` where they are older or newer, damaged, or encrypted.
        """
        try:
            with as_damage():
                tree = ExtTree(self.source)  # a new one each time: readers remember what they have read
                return _names(tree, tree.node(info.st_ino), info)
        except (ParseError, OSError) as error:
            raise UnseenError("unreadable") from error


class Glance:
    """A reader for a whole walk: quicker, for it remembers; what it finds must be looked at again with `Blocks`."""

    def __init__(self, blocks: Blocks) -> None:
        self._tree = ExtTree(blocks.source)

    def names(self, info: os.stat_result) -> Mapping[bytes, int]:
        """Return {name: inode} of a folder; `UnseenError` as above."""
        try:
            with as_damage():
                return _names(self._tree, self._tree.node(info.st_ino), info)
        except (ParseError, OSError) as error:
            raise UnseenError("unreadable") from error


def _names(tree: ExtTree, node: Node, info: os.stat_result) -> dict[bytes, int]:
    if node.kind != "directory" or node.ctime is None or abs(node.ctime - info.st_ctime) > _SAME_TIME:
        raise UnseenError("changing")
    if (node.flags or 0) & _ENCRYPTED:
        raise UnseenError("encrypted")
    return {name: inode for name, inode in tree.names(node) if name not in (b".", b"..")}


def _node_of(device: int) -> str:
    """Return the device file of a number, as the kernel names it."""
    try:
        name = os.readlink(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").rpartition("/")[2]
    except OSError as error:
        raise UnseenError("no-block-device") from error
    return "/dev/" + name.replace("!", "/")
