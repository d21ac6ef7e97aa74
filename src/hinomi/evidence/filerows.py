"""Rows of table `files`: an entry's attributes, its owner's name and package, and what reading it gave."""

from __future__ import annotations

from dataclasses import replace

from hinomi.evidence.inodeflags import flag_letters
from hinomi.evidence.names import names_of
from hinomi.evidence.ownership import DIGEST_KINDS, state_of
from hinomi.evidence.reading import Reading
from hinomi.evidence.target import Owner, Target
from hinomi.evidence.view import Entry
from hinomi.model.tables import Row
from hinomi.model.tables.base import row_of
from hinomi.model.tables.files import File
from hinomi.model.text import path_text

_NOTHING = Reading()


class FileRows:
    """Makes the row of each entry of one target."""

    def __init__(self, target: Target) -> None:
        """Read the target's account names; the rest is asked per entry."""
        self._ownership = target.ownership
        self._has_packages = not getattr(target.ownership, "is_empty", False)
        names = names_of(target.view)
        self._users, self._groups = names.users, names.groups

    def owner_of(self, entry: Entry) -> Owner | None:
        """Return the package that owns an entry, with the digest that its manifest has for it."""
        return self._ownership.manifest(entry.path) if self._has_packages else None

    def row(self, entry: Entry, reading: Reading | None) -> File:
        """Return an entry's row; without a reading it has attributes only."""
        return self.owned_row(entry, reading, self.owner_of(entry))

    def owned_row(self, entry: Entry, reading: Reading | None, owner: Owner | None) -> File:
        """Return the row of an entry whose owner was asked for already."""
        path, kind, size, mode, uid, gid, inode, _, links, mtime, ctime, btime, target, _, _, _, flags = entry
        text = path_text(path)
        given = reading or _NOTHING
        package: str | None = None
        state: str | None = None
        if self._has_packages:
            package = None if owner is None else owner[0]
            state = state_of(owner, given.digest)
            if kind == "file" and given.sha256 is None:
                state = _unread_state(state)
        return row_of(File, {
            "path": text, "path_raw": None if text.isascii() or _is_utf8(path) else path, "kind": kind, "size": size,
            "mode": mode, "uid": uid, "gid": gid, "owner": self._users.get(uid), "group": self._groups.get(gid),
            "inode": inode, "links": links, "mtime": mtime, "ctime": ctime, "btime": btime,
            "link_target": None if target is None else path_text(target), "sha256": given.sha256,
            "content_type": given.content_type, "xattrs": given.xattrs, "capabilities": given.capabilities,
            "acl": given.acl, "label": given.label, "flags": flag_letters(flags), "package": package,
            "package_state": state,
        })  # fmt: skip

    def fits(self, entry: Entry, reading: Reading) -> bool:
        """Whether a reading under another name, or of an earlier scan, has the digest that this path's package has."""
        return self.fits_owner(reading, self.owner_of(entry))

    def fits_owner(self, reading: Reading, owner: Owner | None) -> bool:
        """Whether a reading has the digest that a package has."""
        if reading.sha256 is None:
            return False
        kind = DIGEST_KINDS.get(len(owner[1])) if owner is not None and owner[1] else None
        return kind is None or kind == reading.digest_kind or kind == "sha256"

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
