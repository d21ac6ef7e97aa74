"""Folders as their file system keeps them, beside what the kernel lists: for live ext2, ext3, ext4, XFS and btrfs.

ext keeps its folders in the block device's own cache, so that reading the device shows what is there now. XFS writes
them to the device when its log is emptied: folders that changed lately are left out until then, and that is said. btrfs
is asked for a folder's items by `BTRFS_IOC_TREE_SEARCH` (linux/btrfs.h), which passes by what lists folders.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from hinomi.evidence.images.disk import DiskSource
from hinomi.evidence.images.ext import ExtTree
from hinomi.evidence.images.tree import Node, as_damage
from hinomi.evidence.images.xfs import XfsTree
from hinomi.model.errors import ParseError

MAX_MOUNTINFO = 16 << 20
MAX_ITEMS = 64 << 20  # bytes of one folder's items
_SAME_TIME = 1e-5  # seconds: what a float keeps of nanoseconds
_ENCRYPTED = 0x800  # EXT4_ENCRYPT_FL: names on disk are not those that are listed
_EXT = ("ext2", "ext3", "ext4")
COUNTING = frozenset({*_EXT, "xfs", "tmpfs"})  # file systems whose folders count their sub-folders as links
MANY_LINKS = 65_000  # ext4 gives up counting above
_EMPTIED_EVERY = Path("/proc/sys/fs/xfs/xfssyncd_centisecs")  # how often an idle XFS empties its log
_TREE_SEARCH = 0xD000_9411  # _IOWR(0x94, 17, 4096 bytes)
_SEARCH = struct.Struct("<7Q4I4Q")  # which tree; from and to: objects, offsets, transactions; kinds; how many items
_FOUND = struct.Struct("<QQQII")  # transaction, object, offset, kind, length
_DIR_ITEM = 84  # changed at once, where the index that folders are listed from is changed later
_SUBVOLUME_OF_FOLDER = 0
_ALL = (1 << 64) - 1
T = TypeVar("T")


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


class StoredFolders(ABC):
    """One mounted file system whose folders are read past the kernel's listing, and never written."""

    @abstractmethod
    def names(self, fd: int, info: os.stat_result) -> Mapping[bytes, int]:
        """Return {name: inode} of an open folder, of the moment that `info` is of.

        `UnseenError` where what is kept is older or newer, damaged, or encrypted.
        """


Open = Callable[[int], StoredFolders]


def opener(device: int, kind: str) -> Open:
    """Return what opens a file system of a kind; `UnseenError` where nothing here reads it live."""
    if kind in _READERS:
        return _READERS[kind]
    if kind == "unknown" and os.major(device) == 0:
        return _Items  # every subvolume of btrfs has a number of its own, that stands in no list of mounts
    raise UnseenError("no-live-reader")


class _ExtBlocks(StoredFolders):
    """ext, through its device; it remembers what it has read, so what it finds must be looked at with a new one."""

    def __init__(self, device: int) -> None:
        self._tree = _damage_said(lambda: ExtTree(_source(device)))

    def names(self, fd: int, info: os.stat_result) -> Mapping[bytes, int]:
        return _damage_said(lambda: _names(self._tree, self._tree.node(info.st_ino), info))


class _XfsBlocks(StoredFolders):
    """XFS, through its device, where it has had time to write what it changed there."""

    def __init__(self, device: int) -> None:
        source = _source(device, anew=True)
        self._tree = _damage_said(lambda: XfsTree(source))
        self._settles = _settling_time()

    def names(self, fd: int, info: os.stat_result) -> Mapping[bytes, int]:
        if time.time() - info.st_ctime < self._settles:
            raise UnseenError("changing")
        return _damage_said(lambda: _names(self._tree, self._tree.node(info.st_ino), info))


class _Items(StoredFolders):
    """btrfs: the items of a folder, from its tree in memory."""

    def __init__(self, device: int) -> None:
        del device

    def names(self, fd: int, info: os.stat_result) -> Mapping[bytes, int]:
        return dict(_damage_said(lambda: list(_items(fd, info.st_ino))))


_READERS: dict[str, Open] = {**dict.fromkeys(_EXT, _ExtBlocks), "xfs": _XfsBlocks, "btrfs": _Items}


def _damage_said(read: Callable[[], T]) -> T:
    """Read; `UnseenError` for what is damaged or cannot be read."""
    try:
        with as_damage():
            return read()
    except (ParseError, OSError) as error:
        raise UnseenError("unreadable") from error


def _names(tree: ExtTree | XfsTree, node: Node, info: os.stat_result) -> dict[bytes, int]:
    if node.kind != "directory" or node.ctime is None or abs(node.ctime - info.st_ctime) > _SAME_TIME:
        raise UnseenError("changing")
    if (node.flags or 0) & _ENCRYPTED:
        raise UnseenError("encrypted")
    return {name: inode for name, inode in tree.names(node) if name not in (b".", b"..")}


def _settling_time() -> float:
    """Return how long after its last change a folder of XFS stands on the device, in seconds: two rounds of its log."""
    try:
        return 2 * int(_EMPTIED_EVERY.read_text()) / 100
    except (OSError, ValueError):
        return 60.0


def _items(fd: int, inode: int) -> Iterator[tuple[bytes, int]]:
    """Yield (name, inode) of a folder's items; several stand in one where their names have the same hash."""
    offset, left = 0, MAX_ITEMS
    while left > 0:
        asked = bytearray(4096)
        _SEARCH.pack_into(asked, 0, _SUBVOLUME_OF_FOLDER, inode, inode, offset, _ALL, 0, _ALL, _DIR_ITEM, _DIR_ITEM,
                          1 << 12, 0, 0, 0, 0, 0)  # fmt: skip
        _search(fd, asked)
        count, at = _SEARCH.unpack_from(asked)[9], _SEARCH.size
        for _ in range(count):
            _, _, offset, _, length = _FOUND.unpack_from(asked, at)
            at += _FOUND.size
            yield from _entries(bytes(asked[at : at + length]))
            at += length
        left -= at
        if not count or offset == _ALL:
            return
        offset += 1
    raise UnseenError("too-large")


def _search(fd: int, asked: bytearray) -> None:
    try:
        fcntl.ioctl(fd, _TREE_SEARCH, asked)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise UnseenError("no-permission") from error
        if error.errno == errno.ENOTTY:
            raise UnseenError("no-live-reader") from error
        raise


def _entries(item: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield what stands in one item: key of the inode, 8 bytes, lengths of data and name, kind, name, data."""
    at = 0
    while at + 30 <= len(item):
        data, length = struct.unpack_from("<HH", item, at + 25)
        yield item[at + 30 : at + 30 + length], int.from_bytes(item[at : at + 8], "little")
        at += 30 + length + data


def _source(device: int, *, anew: bool = False) -> DiskSource:
    """Open a block device; `UnseenError` where there is none or it may not be read.

    `anew`: what the device's own cache holds is forgotten first, for it does not see what XFS writes.
    """
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
    if anew:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    return DiskSource(fd, os.lseek(fd, 0, os.SEEK_END))


def _node_of(device: int) -> str:
    """Return the device file of a number, as the kernel names it."""
    try:
        name = os.readlink(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").rpartition("/")[2]
    except OSError as error:
        raise UnseenError("no-block-device") from error
    return "/dev/" + name.replace("!", "/")
