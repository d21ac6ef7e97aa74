"""From two states of an entry to the row that tells of the change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hinomi.evidence.view import Entry
from hinomi.model.tables.changes import FileChange
from hinomi.model.tables.files import File
from hinomi.model.text import path_text
from hinomi.watch.known import Facts
from hinomi.watch.live.pending import Change
from hinomi.watch.live.processes import Identity


def facts_of(entry: Entry, row: File | None) -> Facts:
    """Return an entry's state; the digest where it was read."""
    digest = bytes.fromhex(row.sha256) if row is not None and row.sha256 else None
    return Facts(
        entry.kind, entry.device, entry.inode, entry.size, entry.mode, entry.uid, entry.gid,
        entry.mtime_ns or int(entry.mtime * 1e9), entry.ctime_ns or int(entry.ctime * 1e9), entry.link_target,
        digest, *((row.content_type, row.capabilities, row.package) if row is not None else ()),
    )  # fmt: skip


def differing(old: Facts, new: Facts) -> list[str]:
    """Return the names of the attributes that differ; a folder's own size and times are left out."""
    names = ["kind", "mode", "uid", "gid", "link_target"]
    pairs = [(old.kind, new.kind), (old.mode, new.mode), (old.uid, new.uid), (old.gid, new.gid), (old.link, new.link)]
    if old.kind != "directory" or new.kind != "directory":
        names += ["inode", "size", "mtime", "ctime", "sha256"]
        pairs += [(old.inode, new.inode), (old.size, new.size), (old.mtime, new.mtime), (old.ctime, new.ctime)]
        pairs.append((old.sha256, new.sha256) if new.sha256 is not None else (None, None))
    return sorted(name for name, (a, b) in zip(names, pairs, strict=True) if a != b)


def change_row(
    path: bytes,
    old: Facts | None,
    new: Facts | None,
    *,
    row: File | None,
    change: Change,
    users: Mapping[int, str],
    found_by: str,
    own: bool,
) -> FileChange:
    """Return the row of a change; of None to None it is one that came and went."""
    what = "changed" if old and new else "added" if new else "removed" if old else "came-and-went"
    present = new or old
    return FileChange(
        path=path_text(path), what=what, kind=present.kind if present else None,
        attributes=differing(old, new) if old and new else [], at=change.last, found_by=found_by,
        old_size=old.size if old else None, new_size=new.size if new else None,
        old_mode=old.mode if old else None, new_mode=new.mode if new else None,
        old_sha256=old.sha256.hex() if old and old.sha256 else None,
        new_sha256=new.sha256.hex() if new and new.sha256 else None,
        content_type=new.content_type if new else None,
        package=row.package if row is not None else None, own=own,
        writers=len(change.writers), **_who(change.writers[-1] if change.writers else None, users),
    )  # fmt: skip


def _who(writer: Identity | None, users: Mapping[int, str]) -> dict[str, Any]:
    if writer is None:
        return {}
    return {
        "pid": writer.pid, "process": writer.name or None, "exe": writer.exe, "cmdline": list(writer.cmdline),
        "ancestors": [program for _, program in writer.ancestors],
        "ancestor_pids": [pid for pid, _ in writer.ancestors],
        "uid": writer.uid, "user": None if writer.uid is None else users.get(writer.uid),
        "login_uid": writer.login_uid, "login_user": None if writer.login_uid is None else users.get(writer.login_uid),
        "container": writer.container,
    }  # fmt: skip


def content_only(old: Facts | None, new: Facts | None, rows: int) -> bool:
    """Whether a change is one of data alone: an ordinary file that was known, is of the same type, owner and rights,
    is nothing that runs, and about which no collector said anything. No rule but a digest could say anything new."""
    if old is None or new is None or old.kind != "file" or new.kind != "file" or rows > 1:
        return False
    return (
        old.mode == new.mode and not new.mode & 0o111 and old[5:7] == new[5:7] and old.content_type == new.content_type
    )
