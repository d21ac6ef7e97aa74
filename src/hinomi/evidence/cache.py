"""What earlier scans read, so that an unchanged file costs a look-up: one SQLite file in the case.

A file is the same when device, file system, inode, path, size and both times in nanoseconds are. Content cannot be
changed through the kernel without its ctime moving on; so nothing is kept of file systems that are mounted read-only
(images: their times come from whoever made them) nor of files that changed in the last moments. Each answer carries a
keyed digest over those facts, the collectors' version and itself: what is stale, damaged or of other rules is no
answer. Everything here may be lost at any time.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import struct
import sys
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hinomi.evidence.collector import CacheableCollector, ContentCollector, NeighbourCollector
from hinomi.evidence.folders import Folder
from hinomi.evidence.keptfolders import Gathering, Place, joined, parted
from hinomi.evidence.target import Limits
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage

FILE_NAME = "content.db"
MAX_BYTES = 1 << 30  # beyond, nothing is added, and the next scan begins anew
SETTLED_SECONDS = 40.0  # memory-mapped writes may reach the times this late
COMMIT_EVERY = 4000  # answers, or ...
COMMIT_SECONDS = 2.0  # what a killed scan has to read again at most
MAX_NEAR = 1000  # files of a folder whose answers are fetched together
COMPRESS_FROM = 600  # bytes
_STAMP = struct.Struct("<Qqq")
_KEY = struct.Struct("<QQQ")
_STABLE = frozenset({"encrypted", "damaged", "truncated", "unsupported", "no-source"})
_SCHEMA = "CREATE TABLE IF NOT EXISTS {} (key BLOB PRIMARY KEY, digest BLOB, body BLOB) WITHOUT ROWID"
_TABLES = ("readings", "folders")  # by file, and of whole folders
_U64 = (1 << 64) - 1
_GRAMMARS = ("bash", "javascript", "lua", "perl", "php", "powershell", "python", "ruby")
_LIBRARIES = ("tree-sitter", *(f"tree-sitter-{name}" for name in _GRAMMARS), "olefile", "pyelftools", "zstandard")


class Storage:
    """Which file systems a walk is on: an identity for those whose times can be trusted."""

    def __init__(self) -> None:
        self._known: dict[int, int | None] = {}

    def of(self, folder: Folder) -> tuple[int, int] | None:
        """Return (device, file system's id) of an open folder; None where nothing may be kept of its files."""
        fd = getattr(folder, "fd", None)  # only folders that are open as a descriptor
        if fd is None:
            return None
        try:
            device = os.fstat(fd).st_dev
            if device not in self._known:
                facts = os.fstatvfs(fd)
                self._known[device] = None if facts.f_flag & os.ST_RDONLY else facts.f_fsid
        except OSError:
            return None
        system = self._known[device]
        return None if system is None else (device, system)


class ContentCache:
    """Answers by file. Never raises: trouble ends its use, said once in the coverage."""

    def __init__(self, folder: Path, version: bytes, coverage: Coverage, *, max_bytes: int = MAX_BYTES) -> None:
        """Open or begin the cache in `folder`. `version` is what answers depend on beside the file (`version_of`)."""
        self._path = folder / FILE_NAME
        self._version = version
        self._coverage = coverage
        self._max_bytes = max_bytes
        self._pending: list[tuple[bytes, bytes, bytes]] = []
        self._folders: list[tuple[bytes, bytes, bytes]] = []
        self._committed = time.monotonic()
        self._near: dict[bytes, tuple[bytes, bytes]] | None = None
        self._full = False
        self._folder, self._prefix = b"", _prefix(b"")
        self._database: sqlite3.Connection | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > max_bytes:
                self._drop()
            self._database = self._open()
        except sqlite3.DatabaseError as error:
            self._give_up(error)
            self._reopen()
        except OSError as error:
            self._give_up(error)

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=2.0, isolation_level=None)
        try:
            self._path.chmod(0o600)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=OFF")
            database.execute("PRAGMA cache_size=-8000")
            for table in _TABLES:
                database.execute(_SCHEMA.format(table))
                database.execute(f"SELECT key, digest, body FROM {table} LIMIT 1").fetchone()
        except BaseException:
            database.close()
            raise
        return database

    def _reopen(self) -> None:
        """Begin anew after damage."""
        try:
            self._drop()
            self._database = self._open()
        except (OSError, sqlite3.Error):
            self._database = None

    def _drop(self) -> None:
        for end in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(f"{self._path}{end}")

    def enter(self, folder: bytes, files: int) -> None:
        """Fetch what is known of a folder's files at once; of a very large folder, each file is asked for later."""
        self._near = None
        self._folder, self._prefix = folder, _prefix(folder)
        if self._database is None or files > MAX_NEAR:
            return
        prefix = self._prefix
        query = "SELECT key, digest, body FROM readings WHERE key BETWEEN ? AND ? LIMIT ?"
        try:
            rows = self._database.execute(query, (prefix + bytes(16), prefix + b"\xff" * 16, 2 * MAX_NEAR)).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return
        if len(rows) < 2 * MAX_NEAR:
            self._near = {key: (digest, body) for key, digest, body in rows}

    def get(self, entry: Entry, storage: tuple[int, int]) -> bytes | None:
        """Return what is known of the file as it is listed; None where that is nothing."""
        if self._database is None:
            return None
        row = self._row(self._key(entry, storage), self._database)
        if row is None or not isinstance(row[1], bytes) or self._digest(entry, row[1]) != row[0]:
            return None
        try:
            return _unpacked(row[1])
        except zlib.error:
            return None

    def get_folder(self, place: Place, path: bytes, stamp: bytes) -> list[bytes] | None:
        """Return the answers for all regular files of a folder, in order; None where one of them changed."""
        if self._database is None:
            return None
        query = "SELECT digest, body FROM folders WHERE key = ?"
        try:
            row = self._database.execute(query, (_folder_key(place, path),)).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        if row is None or not isinstance(row[1], bytes) or self._seal(stamp + row[1]) != row[0]:
            return None
        try:
            return [_unpacked(answer) for answer in parted(row[1])]
        except (ValueError, zlib.error):
            return None

    def put_folder(self, gathered: Gathering) -> None:
        """Keep a whole folder's answers."""
        if self._database is None or self._full:
            return
        body = joined([_packed(answer) for answer in gathered.answers])
        key = _folder_key(gathered.place, gathered.path)
        self._folders.append((key, self._seal(gathered.stamp + body), body))

    def _row(self, key: bytes, database: sqlite3.Connection) -> tuple[bytes, bytes] | None:
        if self._near is not None:
            return self._near.get(key)
        try:
            found: tuple[bytes, bytes] | None = database.execute(
                "SELECT digest, body FROM readings WHERE key = ?", (key,)
            ).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return found

    def put(self, entry: Entry, storage: tuple[int, int], payload: bytes) -> None:
        """Keep an answer."""
        if self._database is None or self._full:
            return
        body = _packed(payload)
        self._pending.append((self._key(entry, storage), self._digest(entry, body), body))
        if len(self._pending) >= COMMIT_EVERY or time.monotonic() - self._committed > COMMIT_SECONDS:
            self._commit()

    def close(self) -> None:
        """Write what waits and close."""
        self._commit()
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None

    def _commit(self) -> None:
        pending, self._pending = self._pending, []
        folders, self._folders = self._folders, []
        self._committed = time.monotonic()
        if self._database is None or not (pending or folders):
            return
        try:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO readings VALUES (?, ?, ?)", pending)
            self._database.executemany("INSERT OR REPLACE INTO folders VALUES (?, ?, ?)", folders)
            self._database.execute("COMMIT")
            pages = self._database.execute("PRAGMA page_count").fetchone()[0]
            self._full = pages * self._database.execute("PRAGMA page_size").fetchone()[0] > self._max_bytes
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Go on without; a damaged file is removed, so that the next scan has a new one."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = None
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        self._coverage.skip("content-cache-damaged" if damaged else "content-cache-not-usable")
        if damaged:
            with suppress(OSError):
                self._drop()

    def _key(self, entry: Entry, storage: tuple[int, int]) -> bytes:
        """Return a file's key; files of one folder stand together, and one page of the database has many of them."""
        folder = entry.path.rpartition(b"/")[0]
        prefix = self._prefix if folder == self._folder else _prefix(folder)
        place = _KEY.pack(storage[0] & _U64, storage[1] & _U64, entry.inode & _U64)
        return prefix + hashlib.blake2b(place + entry.path, digest_size=16).digest()

    def _digest(self, entry: Entry, body: bytes) -> bytes:
        stamp = _STAMP.pack(entry.size & _U64, entry.mtime_ns or 0, entry.ctime_ns or 0)
        return self._seal(stamp + body)

    def _seal(self, text: bytes) -> bytes:
        return hashlib.blake2b(text, digest_size=16, key=self._version).digest()


def may_keep(entry: Entry, now_ns: int) -> bool:
    """Whether a file listed at `now_ns` can be told from a later state of itself by its times."""
    if entry.ctime_ns is None or entry.mtime_ns is None:
        return False
    return now_ns - entry.ctime_ns > SETTLED_SECONDS * 1e9


def is_stable(coverage: Coverage | None) -> bool:
    """Whether what was missed would be missed again: trouble of the moment is tried again at the next scan."""
    return coverage is None or all(not m.transient and m.reason.rsplit(".", 1)[-1] in _STABLE for m in coverage.misses)


def beyond(collectors: Sequence[ContentCollector]) -> tuple[NeighbourCollector, ...]:
    """Return the collectors whose answers may depend on other files."""
    return tuple(c for c in collectors if isinstance(c, NeighbourCollector))


def version_of(collectors: Sequence[ContentCollector], limits: Limits) -> bytes | None:
    """Return a digest of all that answers depend on beside the files; None where a collector does not tell."""
    made = hashlib.blake2b(digest_size=32)
    made.update(repr((sys.version_info[:3], replace(limits, chosen_max_size=None))).encode())
    made.update(_own_code())
    for collector in collectors:
        if isinstance(collector, CacheableCollector):
            told = collector.fingerprint()
        elif type(collector).__module__.startswith("hinomi.evidence."):
            told = "own"
        else:
            return None
        made.update(f"{type(collector).__module__}.{type(collector).__qualname__}={told};".encode())
    return made.digest()


def _own_code() -> bytes:
    """Return a digest of the collectors' code, compiled or not, and of the libraries that read for them."""
    from importlib.metadata import PackageNotFoundError, version

    made = hashlib.blake2b(digest_size=32)
    package = Path(__file__).resolve().parent
    places = (package, package.parent / "model")
    for path in sorted(path for place in places for kind in ("*.py", "*.so") for path in place.rglob(kind)):
        with suppress(OSError):
            made.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            made.update(f"{name}={version(name)};".encode())
    return made.digest()


def _packed(payload: bytes) -> bytes:
    return b"z" + zlib.compress(payload, 1) if len(payload) > COMPRESS_FROM else b"j" + payload


def _unpacked(body: bytes) -> bytes:
    return body[1:] if body[:1] == b"j" else zlib.decompress(body[1:])


def _folder_key(place: Place, path: bytes) -> bytes:
    return hashlib.blake2b(_KEY.pack(place[0] & _U64, place[1] & _U64, len(path)) + path, digest_size=16).digest()


def _prefix(folder: bytes) -> bytes:
    return hashlib.blake2b(folder, digest_size=6).digest()
