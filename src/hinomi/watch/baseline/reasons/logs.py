"""Logs that grew or were rotated: what they held in the baseline must still be there, in order, compressed or not.

A family is a log and its rotated copies (`x.log`, `x.log.1`, `x.log.2.gz`, `x.log-20260101.gz`). Every copy of the
baseline must be found again as the beginning of a copy now; only the oldest may have gone, and only if it was rotated.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import re
import zlib
from collections.abc import Iterable
from functools import cached_property
from typing import Any, BinaryIO

from hinomi.watch.baseline.compare import Difference, Values
from hinomi.watch.baseline.world import Reason, World

PLACES = (b"/var/log/", b"/var/adm/")
CHUNK = 1 << 18
MAX_UNPACKED = 4 << 30
MAX_GROWN = 1 << 16  # bytes that may be written to a log while it is read
_MEMBER = re.compile(rb"(.+?)(?:[.-](\d{1,14}(?:-\d{1,10})?)|\.(old))?(?:\.(?:gz|xz|bz2|zst))?")
_DATE_FROM = 100_000  # numbers from here are dates: larger is younger
_RIGHTS = frozenset({"mode", "uid", "gid", "acl", "xattrs", "capabilities", "label", "flags", "kind"})
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain one member of a family of logs."""
    path = difference.path
    if not path.startswith(PLACES) and not re.search(rb"\.log(?:[.-]|$)", path):
        return None
    if difference.kind != "file" or (difference.new is not None and not _is_log(difference, world)):
        return None
    family = world.cached(("log", *family_of(path)), lambda: Family(*family_of(path), world))
    assert isinstance(family, Family)  # cached under this key by this module only
    return family.reason(difference)


def _is_log(difference: Difference, world: World) -> bool:
    """Whether an entry is data that nobody can run, under the rights it had."""
    new = difference.new or {}
    if new["mode"] & 0o6111 or (difference.what == "changed" and _RIGHTS & set(difference.attributes)):
        return False
    return not _head(difference.path, world).startswith((b"\x7fELF", b"#!", b"MZ", b"<?php"))


def _head(path: bytes, world: World) -> bytes:
    try:
        with world.reader.open(path) as file:
            return file.read(8)
    except OSError:
        return b""


def family_of(path: bytes) -> tuple[bytes, bytes]:
    """Return folder and stem: the log that a rotated copy is of."""
    folder, _, name = path.rpartition(b"/")
    found = _MEMBER.fullmatch(name)
    return folder, found[1] if found else name


def _age(path: bytes) -> int:
    """Return a member's age for ordering: 0 is the log itself, larger is older."""
    found = _MEMBER.fullmatch(path.rpartition(b"/")[2])
    if found is None or (found[2] is None and found[3] is None):
        return 0
    if found[2] is None:
        return 1
    number = int(found[2].replace(b"-", b""))
    return (1 << 60) - number if number >= _DATE_FROM else number + 1


class Family:
    """One log with its rotated copies, before and now."""

    def __init__(self, folder: bytes, stem: bytes, world: World) -> None:
        self._world = world
        paths = [p for p in world.paths_in(folder) if family_of(p) == (folder, stem)]
        self._before = {p: v for p in paths if (v := world.before(p)) is not None and v["sha256"] is not None}
        self._now = [p for p in paths if (v := world.now(p)) is not None and v["kind"] == "file"]

    def reason(self, difference: Difference) -> Reason | None:
        """Explain one member's difference."""
        path = difference.path
        if difference.new is None:
            return self._gone(path)
        if path in self._before and path not in self._kept:
            return None if path in self._lost else Reason("log-rotated", *self._fate(path))
        origin = self._origin.get(path)
        if origin == path:
            return Reason("log-grown", "", "sha256")
        if origin is not None and self._all_kept:
            return Reason("log-rotated", _shown(origin), "sha256")
        younger = all(_age(path) < _age(p) for p, o in self._origin.items() if o is not None)
        if self._all_kept and younger:
            return Reason("log-new", "", "declared" if not self._before else "content")
        return None

    def _gone(self, path: bytes) -> Reason | None:
        if path in self._kept:
            return Reason("log-rotated", _shown(self._kept[path]), "sha256")
        return Reason("log-expired", "", "content") if path in self._expired else None

    def _fate(self, path: bytes) -> tuple[str, str]:
        return ("", "content") if path in self._expired else (_shown(self._kept.get(path, b"")), "sha256")

    @cached_property
    def _origin(self) -> dict[bytes, bytes | None]:
        """Each member now -> the member of the baseline whose content it begins with."""
        return {path: self._origin_of(path) for path in self._now}

    def _origin_of(self, path: bytes) -> bytes | None:
        values = self._world.now(path) or {}
        same = [p for p, old in self._before.items() if old["sha256"] == values["sha256"] and old["size"]]
        if same:
            return path if path in same else same[0]
        candidates = {p: old for p, old in self._before.items() if old["size"]}
        return _beginning(path, candidates, self._world)

    @cached_property
    def _kept(self) -> dict[bytes, bytes]:
        """Each member of the baseline whose content is still there -> where. Empty ones are kept wherever."""
        found = {origin: path for path, origin in self._origin.items() if origin is not None}
        found.update((path, path) for path, old in self._before.items() if not old["size"])
        return found

    @cached_property
    def _expired(self) -> frozenset[bytes]:
        """The oldest members, where something was rotated: no older one may be left."""
        rotated = any(origin not in (None, path) for path, origin in self._origin.items())
        lost = sorted((p for p in self._before if p not in self._kept), key=_age)
        youngest_kept = max((_age(p) for p in self._kept), default=-1)
        aged = [p for p in lost if _age(p) > max(youngest_kept, 0)]
        return frozenset(aged) if rotated else frozenset()

    @cached_property
    def _lost(self) -> frozenset[bytes]:
        return frozenset(p for p in self._before if p not in self._kept and p not in self._expired)

    @property
    def _all_kept(self) -> bool:
        return not self._lost


def _beginning(path: bytes, candidates: dict[bytes, Values], world: World) -> bytes | None:
    """Return the candidate whose whole content is the beginning of the file's (unpacked) content: the longest one."""
    sizes = sorted({values["size"] for values in candidates.values()})
    if not sizes:
        return None
    try:
        with world.reader.open(path) as file, _unpacked(file) as content:
            digests = dict(_digests(content, sizes))
    except _BROKEN:
        return None
    fitting = [p for p, values in candidates.items() if digests.get(values["size"]) == values["sha256"]]
    if not fitting and path in candidates and _grew_while_read(path, candidates[path], world):
        return path
    return max(fitting, key=lambda p: (candidates[p]["size"], p == path), default=None)


def _grew_while_read(path: bytes, old: Values, world: World) -> bool:
    """Whether a file begins with what was read of it, that being some lines more than the size it had before.

    A log that is written while it is looked at has grown between the question for its size and the end of its reading.
    """
    made, left = hashlib.sha256(), old["size"]
    try:
        with world.reader.open(path) as file:
            while left > 0 and (data := file.read(min(CHUNK, left))):
                made.update(data)
                left -= len(data)
            for line in file.read(MAX_GROWN).splitlines(keepends=True):
                made.update(line)
                if made.digest() == old["sha256"]:
                    return True
    except _BROKEN:
        pass
    return False


def _digests(content: Any, sizes: list[int]) -> Iterable[tuple[int, bytes]]:
    """Yield (size, SHA-256 of that many first bytes) for ascending sizes, as far as the content goes."""
    made, at = hashlib.sha256(), 0
    for size in sizes:
        if size > MAX_UNPACKED:
            return
        while at < size:
            data = content.read(min(CHUNK, size - at))
            if not data:
                return
            made.update(data)
            at += len(data)
        yield size, made.digest()


def _unpacked(file: BinaryIO) -> Any:
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if magic.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if magic.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMAFile(file)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard

        return zstandard.ZstdDecompressor(max_window_size=128 << 20).stream_reader(file)
    return file


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
