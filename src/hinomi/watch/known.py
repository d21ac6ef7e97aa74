"""The last state of every entry that the watcher has reported or learnt: one SQLite file in the case.

What differs from it has changed and has not been told yet; it is moved on only after the change is kept. So whatever
ends the watcher, at any moment, is found again by comparing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  parent BLOB NOT NULL, name BLOB NOT NULL, kind TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
  size INTEGER NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL, mtime INTEGER NOT NULL,
  ctime INTEGER NOT NULL, link BLOB, sha256 BLOB, content_type TEXT, capabilities TEXT, package TEXT,
  unexplained INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (parent, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_COLUMNS = (
    "kind, device, inode, size, mode, uid, gid, mtime, ctime, link, sha256, content_type, capabilities, package, "
    "unexplained"
)
_LATER = {"capabilities": "TEXT", "package": "TEXT", "unexplained": "INTEGER NOT NULL DEFAULT 0"}
PAGE = 1_000
_U64, _I63 = 1 << 64, 1 << 63


class Facts(NamedTuple):
    """What tells one state of an entry from another. Times in nanoseconds since 1970 UTC; `sha256` in bytes.

    `unexplained`: a change of it has found no reason so far, so nothing may lean on it.
    """

    kind: str
    device: int
    inode: int
    size: int
    mode: int
    uid: int
    gid: int
    mtime: int
    ctime: int
    link: bytes | None = None
    sha256: bytes | None = None
    content_type: str | None = None
    capabilities: str | None = None
    package: str | None = None
    unexplained: int = 0

    def same(self, other: Facts) -> bool:
        """Whether two looks saw one state. Folders' own sizes and times follow from their contents."""
        if self.kind != other.kind or self[4:7] != other[4:7] or self.link != other.link:
            return False
        return self.kind == "directory" or self[2:9] == other[2:9]


class Known:
    """Entries by path. Used by one process at a time."""

    def __init__(self, path: Path) -> None:
        """Open or begin the file; `sqlite3.Error` or `OSError` where that fails."""
        self._database = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        path.chmod(0o600)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-4000", "wal_autocheckpoint=500"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_SCHEMA)
        self._complete()

    def _complete(self) -> None:
        """Add what the file of an older version lacks."""
        there = {row[1] for row in self._database.execute("PRAGMA table_info(entries)")}
        for name, kind in _LATER.items():
            if name not in there:
                self._database.execute(f"ALTER TABLE entries ADD COLUMN {name} {kind}")

    def __len__(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM entries").fetchone()[0])

    def get(self, path: bytes) -> Facts | None:
        """Return the last known state of an entry."""
        query = f"SELECT {_COLUMNS} FROM entries WHERE parent = ? AND name = ?"
        row = self._database.execute(query, _key(path)).fetchone()
        return None if row is None else _facts(row)

    def children(self, folder: bytes) -> dict[bytes, Facts]:
        """Return the known entries of a folder by name."""
        query = f"SELECT name, {_COLUMNS} FROM entries WHERE parent = ? AND name <> x''"
        return {row[0]: _facts(row[1:]) for row in self._database.execute(query, (folder,))}

    def below(self, folder: bytes) -> Iterator[tuple[bytes, Facts]]:
        """Yield the known entries in a folder and its sub-folders, each before the folder that holds it.

        Read page by page: what is yielded may be forgotten meanwhile.
        """
        first, end = (b"/", b"0") if folder == b"/" else (folder + b"/", folder + b"0")
        query = (
            f"SELECT parent, name, {_COLUMNS} FROM entries WHERE (parent, name) < (?, ?) AND parent >= ? "
            "AND name <> x'' AND (parent = ? OR parent >= ?) ORDER BY parent DESC, name DESC LIMIT ?"
        )
        at: tuple[bytes, bytes] = (end, b"")
        while found := self._database.execute(query, (*at, folder, folder, first, PAGE)).fetchall():
            for parent, name, *rest in found:
                at = parent, name
                yield _path(parent, name), _facts(rest)

    def holds(self, folder: bytes) -> bool:
        """Whether any entry in a folder is known."""
        query = "SELECT 1 FROM entries WHERE parent = ? AND name <> x'' LIMIT 1"
        return self._database.execute(query, (folder,)).fetchone() is not None

    def apply(self, states: Iterable[tuple[bytes, Facts]], gone: Iterable[bytes]) -> None:
        """Move on: all of it or nothing."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany("DELETE FROM entries WHERE parent = ? AND name = ?", map(_key, gone))
            marks = ", ".join("?" * (2 + len(Facts._fields)))
            self._database.executemany(
                f"INSERT OR REPLACE INTO entries VALUES ({marks})", ((*_key(path), *_stored(f)) for path, f in states)
            )
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def fact(self, name: str) -> str | None:
        """Return something remembered by name."""
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str | None) -> None:
        """Remember something by name; None forgets it."""
        if value is None:
            self._database.execute("DELETE FROM facts WHERE name = ?", (name,))
        else:
            self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _key(path: bytes) -> tuple[bytes, bytes]:
    parent, _, name = path.rpartition(b"/")
    return parent or b"/", name


def _path(parent: bytes, name: bytes) -> bytes:
    return b"/" + name if parent == b"/" else parent + b"/" + name


def _facts(row: Iterable[object]) -> Facts:
    return Facts(*row)  # type: ignore[arg-type]


def _stored(facts: Facts) -> tuple[object, ...]:
    """Numbers of 64 bits without sign (inodes of some file systems) become those with one."""
    return tuple(v - _U64 if isinstance(v, int) and v >= _I63 else v for v in facts)
