"""The files beside an image: extents of a split disk, segments of an acquisition, the disk below a snapshot."""

from __future__ import annotations

import os
from typing import Protocol

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.disk import open_disk
from hinomi.evidence.images.inner import SourceView


class Beside(Protocol):
    """The folder that holds an image. `name` is the image's own bare name."""

    name: bytes

    def open(self, name: bytes) -> Source | None:
        """Return the regular file of that bare name; None where there is none. No name leads out of the folder."""


class Alone:
    """An image with nothing beside it."""

    name = b""

    def open(self, name: bytes) -> Source | None:
        """Return None."""
        del name
        return None


class FolderBeside:
    """The folder of a file of this host."""

    def __init__(self, path: bytes) -> None:
        """Take the image's path."""
        self._folder, self.name = os.path.split(os.path.realpath(path))

    def open(self, name: bytes) -> Source | None:
        """Return a regular file or block device; links are not followed."""
        if not is_bare(name):
            return None
        try:
            return open_disk(os.path.join(self._folder, name), os.O_NOFOLLOW)
        except OSError:
            return None


class ViewBeside:
    """The folder of a file inside a target."""

    def __init__(self, view: SourceView, path: bytes) -> None:
        """Take the view and the file's path in it."""
        self._view = view
        self._folder, _, self.name = path.rpartition(b"/")

    def open(self, name: bytes) -> Source | None:
        """Return the regular file of that name."""
        if not is_bare(name):
            return None
        try:
            return self._view.file_source(self._folder + b"/" + name)
        except OSError:
            return None


def is_bare(name: bytes) -> bool:
    """Whether a name is one of a file in the same folder."""
    return bool(name) and name not in (b".", b"..") and b"/" not in name and b"\0" not in name
