"""What changed while it was watched, and who changed it."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table(
    "file_changes", "One row per change of an entry that the watcher saw or found when it looked again.", subject="path"
)
class FileChange(Row):
    """A change from the last state known; several writes between two looks are one change."""

    path: str = column("Absolute path.")
    what: str = column("added, removed, changed, or came-and-went (made and removed between two looks).")
    kind: str | None = column("file, directory, symlink, ...; null where it was gone before we looked.", default=None)
    attributes: list[str] = column(
        "Attributes that differ (size, mode, uid, gid, mtime, ctime, inode, link_target, sha256, kind).",
        default_factory=list,
    )
    at: float = column("When the last event came, seconds since 1970 UTC; for what was found later, when it was found.")
    found_by: str = column("event, or reconcile where no event told of it.")
    old_size: int | None = column("Bytes before.", default=None)
    new_size: int | None = column("Bytes after.", default=None)
    old_mode: int | None = column("Permission bits before.", default=None)
    new_mode: int | None = column("Permission bits after.", default=None)
    old_sha256: str | None = column("SHA-256 before.", default=None)
    new_sha256: str | None = column("SHA-256 after.", default=None)
    content_type: str | None = column("Type by content after the change.", default=None)
    package: str | None = column("Name of the package that owns the path.", default=None)
    explained: str | None = column(
        "What made this change be no surprise: the package and version whose manifest says exactly this content, the "
        "rotated log, ...; null where nothing does.",
        default=None,
    )
    why: str | None = column(
        "Kind of that explanation, as in `baseline_changes.why`: package, package-database, log-grown, declared, ...",
        default=None,
    )
    strength: str | None = column("What was verified for it: sha256, md5, content, declared, name, ...", default=None)
    pid: int | None = column(
        "Process that made the change (the last one of several); null where nobody could tell.", default=None
    )
    process: str | None = column("That process's name.", default=None)
    exe: str | None = column("Its program.", default=None)
    cmdline: list[str] = column("Its arguments.", default_factory=list)
    ancestors: list[str] = column("Its ancestors' programs, the parent first.", default_factory=list)
    ancestor_pids: list[int] = column("Its ancestors' process ids, in the same order.", default_factory=list)
    uid: int | None = column("Its user number.", default=None)
    user: str | None = column("Its user's name.", default=None)
    login_uid: int | None = column("Number of the user who logged in (audit), also behind sudo.", default=None)
    login_user: str | None = column("That user's name.", default=None)
    container: str | None = column("Its container.", default=None)
    writers: int = column("Different processes that reported changes of it since the last look.", default=0)
    own: bool = column("One of Hinomi's own files: case, program or rules.", default=False)
