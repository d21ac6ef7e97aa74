"""Rows of table `files`: an entry's attributes, its owner's name and package, and what reading it gave."""

from __future__ import annotations

from dataclasses import replace

from hinomi.evidence.inodeflags import flag_letters
from hinomi.evidence.names import names_of
from hinomi.evidence.reading import Reading
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.tables import Row
from hinomi.model.tables.files import File
from hinomi.model.text import path_text

_NOTHING = Reading()


class FileRows:
    """Makes the row of each entry of one target."""

    def __init__(self, target: Target) -> None:
        """Read the target's account names; the rest is asked per entry."""
        self._ownership = target.ownership
        self._names = names_of(target.view)

    def row(self, entry: Entry, reading: Reading | None) -> File:
        """Return an entry's row; without a reading it has attributes only."""
        ownership = self._ownership
        path = entry.path
        text = path_text(path)
        given = reading or _NOTHING
        unread = entry.kind == "file" and given.sha256 is None
        state = ownership.state(path, given.digest)
        return File(
            path=text,
            path_raw=None if text.isascii() or _is_utf8(path) else path,
            kind=entry.kind,
            size=entry.size,
            mode=entry.mode,
            uid=entry.uid,
            gid=entry.gid,
            owner=self._names.users.get(entry.uid),
            group=self._names.groups.get(entry.gid),
            inode=entry.inode,
            links=entry.links,
            mtime=entry.mtime,
            ctime=entry.ctime,
            btime=entry.btime,
            link_target=None if entry.link_target is None else path_text(entry.link_target),
            sha256=given.sha256,
            content_type=given.content_type,
            xattrs=given.xattrs,
            capabilities=given.capabilities,
            acl=given.acl,
            label=given.label,
            flags=flag_letters(entry.flags),
            package=ownership.package_of(path),
            package_state=_unread_state(state) if unread else state,
        )

    def fits(self, entry: Entry, reading: Reading) -> bool:
        """Whether a reading under another name, or of an earlier scan, has the digest that this path's package has."""
        kind = self._ownership.digest_kind(entry.path)
        return reading.sha256 is not None and (kind in (None, "sha256") or kind == reading.digest_kind)

    def twin(self, entry: Entry, first: Entry, reading: Reading) -> Reading:
        """Return what another name of the same file gives. `fits` must have said that it does."""
        kind = self._ownership.digest_kind(entry.path)
        digest = reading.sha256 if kind in (None, "sha256") else reading.digest
        old, new = path_text(first.path), path_text(entry.path)
        rows = [_renamed(row, old, new) for row in reading.rows]
        return replace(reading, digest=digest, rows=rows, size=0, coverage=None, linked=True)


def _unread_state(state: str | None) -> str | None:
    """An unread file is unowned or unknown, never intact."""
    return state if state == "unowned" else None


def _renamed(row: Row, old: str, new: str) -> Row:
    """Return the row of a hard link: its paths begin with the other name."""
    changed = {
        name: new + value[len(old) :]
        for name in ("path", "container")
        if isinstance(value := getattr(row, name, None), str) and value.startswith(old)
    }
    return replace(row, **changed)  # type: ignore[type-var]


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
