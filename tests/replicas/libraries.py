"""Runs the libraries collector over files held in memory, as the pipeline would."""

from __future__ import annotations

import hashlib
import io

from hinomi.evidence.collector import HEAD_SIZE
from hinomi.evidence.collectors.libraries import Libraries
from hinomi.evidence.target import Limits, Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage


class Tree:
    """The part of a view that the collector asks: a tree of files in memory."""

    def __init__(self, files):
        self.files = {path.encode(): data for path, data in files.items()}

    def _parts(self, path):
        prefix = path.rstrip(b"/") + b"/"
        return {p[len(prefix) :].split(b"/")[0] for p in self.files if p.startswith(prefix)}

    def listdir(self, path):
        return sorted(self._parts(path))

    def entry(self, path):
        if path in self.files:
            return entry_of(path, len(self.files[path]))
        return entry_of(path, 0, "directory") if self._parts(path) else None

    def read(self, path, limit):
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path][:limit]


def entry_of(path, size, kind="file"):
    return Entry(path, kind, size, 0o644, 0, 0, 1, 1, 1, 0.0, 0.0)


class Content:
    def __init__(self, path, data):
        self.entry = entry_of(path, len(data))
        self.head = data[:HEAD_SIZE]
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.content_type = "application/octet-stream"
        self._data = data

    def read(self, limit):
        return self._data[:limit]

    def memory(self):
        return memoryview(self._data) if len(self._data) % 2 else None  # either way must do

    def open(self):
        return io.BytesIO(self._data)


def scan(files, limits=None, collector=None):
    """Return (rows, coverage) for a dict of path -> bytes, or for one file's bytes."""
    if isinstance(files, bytes):
        files = {"/srv/app": files}
    collector = collector or Libraries()
    target = Target("test", "root", "test", Tree(files), None, limits=limits or Limits())
    coverage, rows = Coverage(), []
    for path, data in sorted(files.items()):
        content = Content(path.encode(), data)
        if collector.wants(content.entry, content.head):
            try:
                rows += list(collector.examine(content, target, coverage))
            except ParseError as error:
                coverage.miss("libraries", path, "unreadable", str(error))
    return rows, coverage


def states(files, **kwargs):
    """Return the sorted states of the Log4j rows."""
    rows, _ = scan(files, **kwargs)
    return sorted(row.state for row in rows if row.state != "present")


def reasons(coverage):
    """Return the set of reasons why something was not looked at."""
    return {miss.reason for miss in coverage.misses}
