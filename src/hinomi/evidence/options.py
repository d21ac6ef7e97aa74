"""What a user may choose about a scan: which part of a target, how much of the machine, whether to trust the cache."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate

from hinomi.evidence.target import Limits
from hinomi.model.text import path_text


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """One scan's choices; the defaults examine everything with all cores and use the cache."""

    same_fs: bool = False  # stay on the file system of the target's root
    include: tuple[str, ...] = ()  # of entries that are no folders, only those that match
    exclude: tuple[str, ...] = ()  # leave out what matches; of a folder, all that is in it
    max_size: int | None = None  # bytes; the content of larger files is not read
    jobs: int | None = None  # processes; None: one a core, at most eight
    nice: bool = False
    use_cache: bool = True
    nested: bool = True  # open images found inside targets
    memory: bool = False  # search the memory of this host's processes too
    pids: tuple[int, ...] = ()  # only these processes and their memory, no files
    unblob: str | None = None  # program that finds the known parts of files that nothing here opens
    dissect: str | None = None  # interpreter that has dissect, or a program of it
    key_file: str | None = None  # holds the keys of encrypted images, one a line
    files: bool = True  # False: only processes, of a live host

    @property
    def reads_files(self) -> bool:
        """Whether the target's files are walked at all."""
        return self.files and not self.pids

    def limits(self, base: Limits | None = None) -> Limits:
        """Return the limits with the user's own."""
        from dataclasses import replace

        return replace(base or Limits(), chosen_max_size=self.max_size)

    def selection(self) -> Selection | None:
        """Return which entries to walk; None for all."""
        if not (self.same_fs or self.include or self.exclude):
            return None
        return Selection(same_fs=self.same_fs, include=self.include, exclude=self.exclude)


class Selection:
    """Which entries of a tree are walked.

    A pattern with a slash is held against the whole path inside the target, one without against the name. `*` stands
    for any text, slashes too, `?` for one character, `[...]` for one of several; case counts.
    """

    def __init__(self, *, same_fs: bool = False, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        self.same_fs = same_fs
        self._include = _Globs(include)
        self._exclude = _Globs(exclude)

    def leaves_out(self, path: bytes) -> bool:
        """Whether an entry, with all that is in it, is excluded."""
        return self._exclude.match(path)

    def takes(self, path: bytes) -> bool:
        """Whether an entry that is no folder is among those included."""
        return not self._include or self._include.match(path)


class _Globs:
    """Several patterns as two expressions: for paths and for names."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._paths = _joined([p if p.startswith(("/", "*")) else f"/{p}" for p in patterns if "/" in p])
        self._names = _joined([p for p in patterns if "/" not in p])

    def __bool__(self) -> bool:
        return self._paths is not None or self._names is not None

    def match(self, path: bytes) -> bool:
        text = path_text(path)
        if self._paths is not None and self._paths.match(text):
            return True
        return self._names is not None and self._names.match(text.rsplit("/", 1)[-1]) is not None


def _joined(patterns: Sequence[str]) -> re.Pattern[str] | None:
    found = [translate(pattern.rstrip("/") or "/") for pattern in patterns]
    return re.compile("|".join(found)) if found else None
