"""Part of a root view as a view of its own: which folders it has is said by those who derive from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import BinaryIO

from hinomi.evidence.folders import Folder
from hinomi.evidence.sources.descriptors import OpenFolder
from hinomi.evidence.sources.root import RootView
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage


class PartView(ABC):
    """Walks what `folders` yields, and answers for any path as the whole view does (`FolderView`, `WorkerView`)."""

    def __init__(self, view: RootView) -> None:
        self._view = view
        self.in_workers = view.in_workers

    @abstractmethod
    def folders(self, coverage: Coverage) -> Iterator[Folder]:
        """Yield the folders with the entries that belong to this part."""

    def walk(self, coverage: Coverage) -> Iterator[Entry]:
        """Yield every entry of this part."""
        for folder in self.folders(coverage):
            try:
                yield from folder.entries
            finally:
                folder.release()

    def folder_at(self, path: bytes) -> OpenFolder:
        """As the whole view."""
        return self._view.folder_at(path)

    def entry(self, path: bytes) -> Entry | None:
        """As the whole view."""
        return self._view.entry(path)

    def listdir(self, path: bytes) -> list[bytes]:
        """As the whole view."""
        return self._view.listdir(path)

    def open(self, path: bytes) -> BinaryIO:
        """As the whole view."""
        return self._view.open(path)

    def read(self, path: bytes, limit: int) -> bytes:
        """As the whole view."""
        return self._view.read(path, limit)

    def resolve(self, path: bytes) -> bytes | None:
        """As the whole view."""
        return self._view.resolve(path)

    def xattrs(self, path: bytes) -> dict[str, bytes]:
        """As the whole view."""
        return self._view.xattrs(path)
